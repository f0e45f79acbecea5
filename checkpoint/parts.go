package checkpoint

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"sync"

	"github.com/wasmill/wasmill/host/stream"
)

// Parts returns the parts of a checkpoint: by the epoch they were made in, and so in
// the order in which they apply for every vertex; each object is fetched once. They
// are fetched, checked and decompressed ahead of the caller, who owns their bytes. An
// error is the last item; it has ErrDamaged below if the checkpoint is to blame.
func (r *Reader) Parts(ctx context.Context, m *Manifest) iter.Seq2[RestoredPart, error] {
	return func(yield func(RestoredPart, error) bool) {
		limit := r.Concurrency
		if limit <= 0 {
			limit = 4
		}
		decoder, err := newDecoder(limit)
		if err != nil {
			yield(RestoredPart{}, err)
			return
		}
		defer decoder.close()
		ctx, cancel := context.WithCancel(ctx)
		s := &partStream{store: r.Store, layout: layout(r.Pipeline), m: m, decoder: decoder, limit: limit, plan: planParts(m)}
		s.fetch = newFetch(ctx, s)
		defer s.group.Wait()
		defer cancel()
		s.run(ctx, r.Progress, yield)
	}
}

// planned is a part in the order of a restore.
type planned struct {
	vertex stream.VertexID
	state  *PartState
}

func planParts(m *Manifest) []planned {
	var all []planned
	for i := range m.Vertices {
		v := &m.Vertices[i]
		for j := range v.Parts {
			all = append(all, planned{v.Vertex, &v.Parts[j]})
		}
	}
	slices.SortStableFunc(all, func(a, b planned) int { return cmp.Compare(a.state.Epoch, b.state.Epoch) })
	return all
}

// partStream reads the parts of one checkpoint.
type partStream struct {
	store   Store
	layout  layout
	m       *Manifest
	decoder *decoder
	limit   int
	plan    []planned
	fetch   *fetch
	group   sync.WaitGroup // every goroutine
}

type partResult struct {
	data []byte
	err  error
}

// run keeps up to limit parts in the making, and yields them in order.
func (s *partStream) run(ctx context.Context, progress func(done, total int64), yield func(RestoredPart, error) bool) {
	var ahead []chan partResult
	next, done, total := 0, int64(0), totalBytes(s.m.Vertices)
	for _, p := range s.plan {
		for ; next < len(s.plan) && len(ahead) < s.limit; next++ {
			ahead = append(ahead, s.begin(ctx, s.plan[next].state))
		}
		var result partResult
		select {
		case result = <-ahead[0]:
		case <-ctx.Done():
			result.err = context.Cause(ctx)
		}
		ahead = ahead[1:]
		if result.err != nil {
			yield(RestoredPart{}, result.err)
			return
		}
		st := p.state
		part := Part{Table: st.Table, From: st.From, To: st.To, Full: st.Full, Entries: st.Entries, Data: result.data}
		if !yield(RestoredPart{p.vertex, st.Epoch, part}, nil) {
			return
		}
		done += st.Bytes
		if progress != nil {
			progress(done, total)
		}
	}
}

func (s *partStream) begin(ctx context.Context, p *PartState) chan partResult {
	out := make(chan partResult, 1)
	if len(p.At) == 0 {
		out <- partResult{data: slices.Clone(p.Data)}
		return out
	}
	s.group.Go(func() {
		data, err := s.read(ctx, p)
		out <- partResult{data, err}
	})
	return out
}

// maxAhead bounds what is allocated because a manifest says so.
const maxAhead = 64 << 20

// read collects a part from its objects.
func (s *partStream) read(ctx context.Context, p *PartState) ([]byte, error) {
	data := make([]byte, 0, min(p.Bytes, maxAhead))
	for _, x := range p.At {
		object, err := s.fetch.use(ctx, x.Object)
		if err != nil {
			return nil, err
		}
		name := s.layout.object(s.m.Objects[x.Object].Name)
		for blocks := object[x.From:x.To]; len(blocks) > 0; {
			if data, blocks, err = s.decoder.readBlock(name, data, blocks); err != nil {
				return nil, err
			}
			if int64(len(data)) > p.Bytes {
				return nil, damaged(name, "a part has more than the %d bytes of the manifest", p.Bytes)
			}
		}
		s.fetch.release(x.Object)
	}
	if int64(len(data)) != p.Bytes {
		return nil, damaged(s.layout.object(s.m.Name()), "a part of epoch %d has %d bytes instead of %d", p.Epoch, len(data), p.Bytes)
	}
	return data, nil
}

// getObject fetches a data object and checks that it is what was written.
func getObject(ctx context.Context, s Store, name string, o DataObject) ([]byte, error) {
	data, err := getWhole(ctx, s, name)
	if err != nil {
		return nil, err
	}
	if int64(len(data)) != o.Bytes {
		return nil, damaged(name, "the object has %d bytes instead of %d", len(data), o.Bytes)
	}
	if sum := sumOf(data); sum != o.CRC32C {
		return nil, damaged(name, "the object has the sum %08x instead of %08x", sum, o.CRC32C)
	}
	return data, checkObject(name, data)
}
