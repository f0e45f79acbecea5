package pipeline

import (
	"fmt"
	"math"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// restore puts back what vertices held, before anything runs.
func (p *Pipeline) restore(from map[stream.VertexID]Restored) error {
	for _, v := range p.vertices {
		if r, ok := from[v.name]; ok && v.in != nil {
			if err := v.in.restore(r); err != nil {
				return named(v.name, err)
			}
		}
	}
	return nil
}

// restore puts inputs in front of the lanes that they came by, past their limits, and
// what was to be done by time to its slot. The watermark starts where it was; that of
// the end of time comes from the sources again.
func (in *inbox) restore(r Restored) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if at := r.Watermark; at != stream.NoWatermark && at != stream.EndOfTime {
		w := &in.flight.watermarks
		w.past, w.known = at, true
		if in.gate != nil {
			in.gate.target = at
			w.promise(0, at)
		}
	}
	for _, b := range r.Inputs {
		for i := range b.Records {
			port := int(b.Records[i].Port)
			switch {
			case port < len(in.lanes):
				in.lanes[port].restore(b, i)
			case port > stream.MaxPort && in.gate != nil:
				in.keys.restore(b, i, &in.flight.watermarks)
			default:
				return fmt.Errorf("the checkpoint has an input of edge %d, there are %d", port, len(in.lanes))
			}
		}
	}
	return nil
}

// restore adds a record to the end of a lane.
func (l *lane) restore(b *stream.Batch, i int) {
	n := l.items.len()
	if n == 0 || atOnce.reached(sizeOf(l.items.at(n-1).Batch)) {
		fresh := l.in.pool.New()
		fresh.Least = math.MaxInt64
		*l.items.push() = arrival{stream.Item{Batch: fresh}, time.Now()}
		n++
	}
	to := l.items.at(n - 1).Batch
	l.queued.sub(sizeOf(to))
	to.AppendFrom(b, i)
	to.Records[to.Len()-1].Source = stream.NoSource
	to.Least = min(to.Least, b.Records[i].Time)
	l.queued.add(sizeOf(to))
}

// restore adds to a slot what did not come by a lane: a record of a group, or one
// without a key.
func (k *keys) restore(b *stream.Batch, i int, w *watermarks) {
	s := &k.slots[k.placed(b, i)]
	k.pending.add(Limit{1, k.append(s, b, i, w)})
	s.last().b.Records[s.last().count-1].Source = stream.NoSource
	k.list(s)
}
