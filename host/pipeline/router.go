package pipeline

import (
	"context"

	"github.com/wasmill/wasmill/host/stream"
)

// router is the sending side of a vertex: it deals records out to the outbound
// edges by their tags. Its methods may be called by several goroutines.
type router struct {
	outlets []stream.Outlet
	takes   [][]bool          // by outlet and tag
	weights []int             // by tag: how many outlets take it
	names   []string          // by tag; empty for none, others and dead letters
	to      []stream.VertexID // by outlet
	point   point
	acks    ledgers
	pool    *stream.BatchPool
	stats   *counters
}

// newRouter makes a router for the edges that leave a vertex.
func newRouter(tags *stream.TagTable, edges []Edge, outlets []stream.Outlet, acks ledgers, pool *stream.BatchPool, stats *counters) *router {
	n := int(tags.DeadLetter()) + 1
	r := &router{outlets: outlets, weights: make([]int, n), names: make([]string, n), acks: acks, pool: pool, stats: stats}
	for _, e := range edges {
		takes := make([]bool, n)
		takes[stream.Untagged] = len(e.Tags) == 0 && !e.DeadLetters
		takes[tags.DeadLetter()] = e.DeadLetters
		for _, name := range e.Tags {
			takes[tags.Tag([]byte(name))] = true
			r.names[tags.Tag([]byte(name))] = name
		}
		for tag, yes := range takes {
			if yes {
				r.weights[tag]++
			}
		}
		r.takes, r.to = append(r.takes, takes), append(r.to, e.To)
	}
	return r
}

// forward sends the results of a call and settles its inputs. It owns out, and
// reads the table of in only.
func (r *router) forward(ctx context.Context, in, out *stream.Batch) error {
	r.acks.post(out.Records, r.weights)
	if err := r.send(ctx, out); err != nil {
		return err
	}
	r.acks.post(in.Records, onEdge)
	return nil
}

// send deals a batch out and owns it.
func (r *router) send(ctx context.Context, b *stream.Batch) error {
	r.stats.out(b)
	r.point.see(b)
	tag, uniform := uniformTag(b.Records)
	if !uniform {
		return r.split(ctx, b)
	}
	left := 0
	if b.Len() > 0 {
		left = r.weights[tag]
		r.stats.unrouted(b.Len(), left)
	}
	if tag != stream.Untagged {
		for i := range b.Records {
			b.Records[i].Tag = stream.Untagged
		}
	}
	for i, outlet := range r.outlets {
		if left == 0 {
			break
		}
		if !r.takes[i][tag] {
			continue
		}
		if left--; left == 0 {
			return outlet.Send(ctx, stream.Item{Batch: b})
		}
		same := r.pool.New()
		same.AppendAll(b)
		if err := outlet.Send(ctx, stream.Item{Batch: same}); err != nil {
			return err
		}
	}
	r.pool.Put(b)
	return nil
}

// split sends each outlet its own records of a batch with several tags.
func (r *router) split(ctx context.Context, b *stream.Batch) error {
	for i := range b.Records {
		r.stats.unrouted(1, r.weights[b.Records[i].Tag])
	}
	for i, outlet := range r.outlets {
		part := r.pool.New()
		for j := range b.Records {
			if r.takes[i][b.Records[j].Tag] {
				part.AppendFrom(b, j)
				part.Records[part.Len()-1].Tag = stream.Untagged
			}
		}
		if part.Len() == 0 {
			r.pool.Put(part)
			continue
		}
		if err := outlet.Send(ctx, stream.Item{Batch: part}); err != nil {
			return err
		}
	}
	r.pool.Put(b)
	return nil
}

// uniformTag returns the tag that all records have.
func uniformTag(records []stream.Record) (tag stream.Tag, uniform bool) {
	for i := range records {
		if i == 0 {
			tag = records[0].Tag
		}
		if records[i].Tag != tag {
			return 0, false
		}
	}
	return tag, true
}

// broadcast sends a watermark or barrier along every edge.
func (r *router) broadcast(ctx context.Context, it stream.Item) error {
	for _, outlet := range r.outlets {
		if err := outlet.Send(ctx, it); err != nil {
			return err
		}
	}
	return nil
}

func (r *router) close() {
	for _, outlet := range r.outlets {
		outlet.Close()
	}
}
