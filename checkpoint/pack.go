package checkpoint

import (
	"bytes"
	"sync"
)

// Bounds of what is stored in the manifest itself.
const (
	inlinePart  = 4 << 10   // a part with at most so many bytes,
	inlineTotal = 256 << 10 // while all of a manifest have at most so many
)

// packer lays the parts of a checkpoint out: small ones in the manifest, others in
// blocks of data objects, each of which it hands over when it is full.
type packer struct {
	encoder *encoder
	name    func(n int) string                               // of data object n, below the pipeline's folder
	full    func(o DataObject, data []byte, raw int64) error // takes the bytes
	spare   *sync.Pool                                       // *[]byte, of objects that are stored
	small   int64                                            // the most bytes of a part in the manifest
	large   int                                              // the most bytes of an object
	total   int64                                            // bytes of all parts, about

	objects []DataObject // handed over
	buf     []byte
	sum     Sum   // of buf
	raw     int64 // bytes of parts in buf
	inline  int64 // bytes of parts in the manifest, those that its parent has there, too
	stored  int64
}

// add lays out a part, whose Data is there. Its extents count the objects of this
// packer.
func (p *packer) add(s *PartState) error {
	if s.Bytes == 0 || s.Bytes <= p.small && p.inline+s.Bytes <= inlineTotal {
		p.inline += s.Bytes
		s.Data = bytes.Clone(s.Data) // later manifests have it, too
		return nil
	}
	data := s.Data
	s.Data = nil
	for len(data) > 0 {
		block := data[:min(len(data), blockBytes)]
		data = data[len(block):]
		if len(p.buf)+blockHead+len(block) > p.large {
			if err := p.flush(); err != nil {
				return err
			}
		}
		if p.buf == nil {
			p.buf = startObject(p.room())
			p.sum = sumOf(p.buf)
		}
		from := int64(len(p.buf))
		p.buf = p.encoder.appendBlock(p.buf, block)
		p.sum = p.sum.of(p.buf[from:]) // which the cache still has
		p.raw += int64(len(block))
		s.extend(len(p.objects), from, int64(len(p.buf)))
	}
	return nil
}

// room returns memory for an object: that of one that is stored, if there is one.
func (p *packer) room() []byte {
	if buf, ok := p.spare.Get().(*[]byte); ok {
		return (*buf)[:0]
	}
	return make([]byte, 0, min(int64(p.large), p.total+p.total/8+objectHead+blockHead))
}

// extend adds a block to the extents of a part.
func (s *PartState) extend(object int, from, to int64) {
	if n := len(s.At); n > 0 && s.At[n-1].Object == object {
		s.At[n-1].To = to
		return
	}
	s.At = append(s.At, Extent{object, from, to})
}

// flush hands over the object that is being filled.
func (p *packer) flush() error {
	if p.buf == nil {
		return nil
	}
	o := DataObject{Name: p.name(len(p.objects)), Bytes: int64(len(p.buf)), CRC32C: p.sum}
	data, raw := p.buf, p.raw
	p.objects = append(p.objects, o)
	p.stored += o.Bytes
	p.buf, p.raw = nil, 0
	return p.full(o, data, raw)
}
