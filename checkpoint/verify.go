package checkpoint

import (
	"context"
	"errors"

	"github.com/wasmill/wasmill/host/stream"
)

// Report is what Verify found.
type Report struct {
	Manifest *Manifest // nil if it is damaged
	Objects  int       // data objects that were read
	Bytes    int64     // in them
	Problems []error   // every object that is damaged; none: the checkpoint can be restored
}

// Verify reads all that a checkpoint needs and checks every sum and length, one
// object at a time. An error says that it could not be checked.
func (r *Reader) Verify(ctx context.Context, e stream.Epoch) (*Report, error) {
	out := new(Report)
	m, err := r.Manifest(ctx, e)
	if errors.Is(err, ErrDamaged) {
		out.Problems = append(out.Problems, err)
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	out.Manifest = m
	decoder, err := newDecoder(1)
	if err != nil {
		return nil, err
	}
	defer decoder.close()
	v := verification{m: m, layout: layout(r.Pipeline), decoder: decoder, bytes: make(map[*PartState]int64)}
	total := int64(0)
	for _, o := range m.Objects {
		total += o.Bytes
	}
	for i, o := range m.Objects {
		data, err := getObject(ctx, r.Store, v.layout.object(o.Name), o)
		if err != nil && !errors.Is(err, ErrDamaged) {
			return nil, err
		}
		if err == nil {
			err = v.blocks(i, data)
		}
		if err != nil {
			out.Problems = append(out.Problems, err)
		}
		out.Objects++
		out.Bytes += int64(len(data))
		if r.Progress != nil {
			r.Progress(out.Bytes, total)
		}
	}
	if len(out.Problems) == 0 {
		out.Problems = v.parts()
	}
	return out, nil
}

type verification struct {
	m       *Manifest
	layout  layout
	decoder *decoder
	bytes   map[*PartState]int64 // that were found of parts
	buf     []byte
}

// blocks checks those of an object that parts of this checkpoint are in.
func (v *verification) blocks(object int, data []byte) (err error) {
	each(v.m.Vertices, func(p *PartState) {
		for _, x := range p.At {
			if x.Object != object {
				continue
			}
			for rest := data[x.From:x.To]; err == nil && len(rest) > 0; {
				if v.buf, rest, err = v.decoder.readBlock(v.layout.object(v.m.Objects[object].Name), v.buf[:0], rest); err == nil {
					v.bytes[p] += int64(len(v.buf))
				}
			}
		}
	})
	return err
}

// parts checks that each part has as many bytes as the manifest says.
func (v *verification) parts() (problems []error) {
	each(v.m.Vertices, func(p *PartState) {
		if len(p.At) > 0 && v.bytes[p] != p.Bytes {
			problems = append(problems, damaged(v.layout.object(v.m.Name()), "a part of table %q of epoch %d has %d bytes instead of %d", p.Table, p.Epoch, v.bytes[p], p.Bytes))
		}
	})
	return problems
}
