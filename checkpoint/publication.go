package checkpoint

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// publication is one call of Write.
type publication struct {
	w         *Writer
	epoch     stream.Epoch
	parent    *Manifest
	began     time.Time
	names     []string // that may be stored
	uncertain bool     // the record may be stored

	up    *uploads
	pack  *packer
	tally tally
}

func (p *publication) run(ctx context.Context, info Info, snapshots []Snapshot) (*Manifest, error) {
	w := p.w
	m := &Manifest{
		Format: Format, Wasmill: w.config.Wasmill, Pipeline: w.config.Pipeline, Generation: w.generation,
		Epoch: p.epoch, Nonce: w.nonce, Created: p.began.UTC().Truncate(time.Millisecond),
		Reason: info.Reason, Config: info.Config,
	}
	if p.parent != nil {
		m.Parent = p.parent.Epoch
	}
	if err := p.upload(ctx, m, snapshots); err != nil {
		return nil, fmt.Errorf("upload epoch %d: %w", p.epoch, err)
	}
	m.Duration = Duration{Span(info.Align), Span(info.Snapshot), Span(w.now().Sub(p.began))}
	data, err := m.encode()
	if err != nil {
		return nil, err
	}
	name := w.layout.object(m.Name())
	p.names = append(p.names, name)
	if err := put(ctx, w.config.Store, name, data); err != nil {
		return nil, fmt.Errorf("store the manifest of epoch %d: %w", p.epoch, err)
	}
	if err := w.Owns(ctx); err != nil {
		return nil, err
	}
	return m, p.publish(ctx, record{
		Format: Format, Epoch: p.epoch, Generation: w.generation, Nonce: w.nonce,
		Manifest: m.Name(), Bytes: int64(len(data)), CRC32C: sumOf(data),
	})
}

// publish creates the record: the commit point.
func (p *publication) publish(ctx context.Context, r record) error {
	body, err := r.encode()
	if err != nil {
		return err
	}
	name := p.w.layout.record(p.epoch)
	outcome, found, err := create(ctx, p.w.config.Store, name, body)
	switch outcome {
	case ours:
		return nil
	case theirs:
		var other record
		_ = json.Unmarshal(found, &other)
		if other.Generation > 0 && other.Generation < p.w.generation {
			return fmt.Errorf("epoch %d was published by generation %d when this one, %d, had begun: it is abandoned", p.epoch, other.Generation, p.w.generation)
		}
		return fenced(name, fmt.Sprintf("epoch %d was published by generation %d, and this process has %d", p.epoch, other.Generation, p.w.generation))
	}
	p.uncertain = true
	return fmt.Errorf("publish epoch %d: %w", p.epoch, err)
}

// upload fills in vertices, objects and sizes of the manifest, and stores the objects.
func (p *publication) upload(ctx context.Context, m *Manifest, snapshots []Snapshot) error {
	byName := func(a, b Snapshot) int { return cmp.Compare(a.Vertex, b.Vertex) }
	snapshots = slices.SortedFunc(slices.Values(snapshots), byName)
	m.Vertices = chain(p.parent, snapshots)
	p.up = newUploads(ctx, p.w.config.Uploads)
	p.pack = p.packer(inlineBytes(m.Vertices))
	if err := p.layOut(m.Vertices, snapshots); err != nil {
		p.up.cancel(err)
	}
	if err := p.up.wait(); err != nil {
		return err
	}
	for i := range m.Vertices {
		m.Vertices[i].Parts = prune(m.Vertices[i].Parts)
	}
	m.Objects = append(carried(p.parent, p.epoch, m.Vertices), p.pack.objects...)
	m.Size = Size{New: freshBytes(m.Vertices, p.epoch), Stored: p.pack.stored, Total: totalBytes(m.Vertices)}
	p.tally.end()
	return nil
}

// packer returns one that uploads what it fills, beside so many bytes in the manifest.
func (p *publication) packer(inline int64) *packer {
	return &packer{
		encoder: p.w.encoder, spare: &p.w.spare, small: p.w.small, large: p.w.large, inline: inline,
		name: func(n int) string { return dataOf(p.w.generation, p.epoch, n) },
		full: func(o DataObject, data []byte, raw int64) error {
			name := p.w.layout.object(o.Name)
			p.names = append(p.names, name)
			return p.up.start(func(ctx context.Context) error {
				tries, err := p.store(ctx, name, data, raw)
				if err == nil && tries == 1 { // a try that failed may still read the data
					p.w.spare.Put(&data)
				}
				return err
			})
		},
	}
}

// layOut adds the parts of the snapshots to their vertices, which are in the same
// order.
func (p *publication) layOut(vertices []VertexState, snapshots []Snapshot) error {
	for i := range snapshots {
		n := snapshots[i].bytes()
		p.tally.expect(n)
		p.pack.total += n
	}
	for i := range snapshots {
		s := &snapshots[i]
		for _, part := range s.Parts {
			if err := p.add(&vertices[i], part); err != nil {
				return err
			}
		}
		if s.Stream != nil {
			if err := p.stream(&vertices[i], s); err != nil {
				return err
			}
		}
	}
	return p.pack.flush()
}

// stream adds the parts that a snapshot does not have in memory. After an error it
// takes no more of them, whatever Stream makes of it.
func (p *publication) stream(v *VertexState, s *Snapshot) error {
	expected := s.Size
	var failed error
	err := s.Stream(func(part Part) error {
		if failed == nil {
			failed = part.check(s.Vertex)
		}
		if failed == nil {
			n := int64(len(part.Data))
			p.tally.expect(max(0, n-expected))
			expected = max(0, expected-n)
			failed = p.add(v, part)
		}
		return failed
	})
	if failed != nil {
		return failed
	}
	if err != nil {
		return fmt.Errorf("read the parts of %s: %w", s.Vertex, err)
	}
	p.tally.expect(-expected)
	return nil
}

// add lays out a part, after those that the vertex has, unless the checkpoint is
// given up. It keeps nothing of its bytes.
func (p *publication) add(v *VertexState, part Part) error {
	if err := p.up.ended(); err != nil {
		return err
	}
	s := PartState{
		Epoch: p.epoch, Table: part.Table, From: part.From, To: part.To, Full: part.Full,
		Entries: part.Entries, Bytes: int64(len(part.Data)), Data: part.Data,
	}
	before := p.pack.inline
	if err := p.pack.add(&s); err != nil {
		return err
	}
	p.tally.stored(p.pack.inline - before)
	v.Parts = append(v.Parts, s)
	return nil
}

// store uploads a data object with raw bytes of parts, and says how many tries it took.
func (p *publication) store(ctx context.Context, name string, data []byte, raw int64) (tries int, err error) {
	err = again(ctx, func() error {
		tries++
		return p.w.config.Store.Put(ctx, name, data)
	})
	if err != nil {
		return tries, fmt.Errorf("store %s: %w", name, err)
	}
	p.tally.stored(raw)
	return tries, nil
}
