package durable

import (
	"encoding/binary"
	"fmt"

	"github.com/wasmill/wasmill/host/stream"
)

// Inputs that were in flight are a table of their own. Its part, version 1:
//
//	version 1 B │ records
//	record: varint time │ uvarint seq, port, group │ uvarint lengths of key, value, headers │ these
const (
	inputsTable   = "inputs"
	inputsVersion = 1
)

// encodeInputs returns the records of batches in their order; nil if there are none.
func encodeInputs(batches []*stream.Batch) (data []byte, records int) {
	for _, b := range batches {
		for i := range b.Records {
			if data == nil {
				data = append(make([]byte, 0, 1+b.Bytes()+24*b.Len()), inputsVersion)
			}
			r := &b.Records[i]
			data = binary.AppendVarint(data, r.Time)
			for _, n := range [...]uint64{uint64(r.Seq), uint64(r.Port), uint64(r.Group), uint64(r.Key.Len), uint64(r.Value.Len), uint64(r.Headers.Len)} {
				data = binary.AppendUvarint(data, n)
			}
			data = append(append(append(data, b.Key(i)...), b.Value(i)...), b.Headers(i)...)
			records++
		}
	}
	return data, records
}

// decodeInputs reads records, and changes their ports: port says which one to take
// the place of another, and false for records that are dropped.
func decodeInputs(data []byte, port func(uint16) (uint16, bool)) (*stream.Batch, error) {
	b := &stream.Batch{Watermark: stream.NoWatermark}
	if len(data) == 0 {
		return b, nil
	}
	if data[0] != inputsVersion {
		return nil, badInputs("version %d of records in flight is not known", data[0])
	}
	d := decoder{rest: data[1:]}
	for len(d.rest) > 0 {
		at := d.varint()
		seq, from, group := d.uvarint(), d.uvarint(), d.uvarint()
		keys, values, headers := d.uvarint(), d.uvarint(), d.uvarint()
		key, value, header := d.bytes(keys), d.bytes(values), d.bytes(headers)
		if d.bad || from > 1<<16-1 || group > 1<<16-1 {
			return nil, badInputs("record %d in flight is cut short", b.Len())
		}
		to, ok := port(uint16(from))
		if !ok {
			continue
		}
		b.Append(at, key, value, header)
		r := &b.Records[b.Len()-1]
		r.Seq, r.Port, r.Group, r.Source = stream.Seq(seq), to, uint16(group), stream.NoSource
	}
	return b, nil
}

func badInputs(format string, args ...any) error {
	return &stream.Error{Code: stream.StateCorrupt, Why: fmt.Sprintf(format, args...)}
}

// decoder takes numbers and bytes off the front of rest.
type decoder struct {
	rest []byte
	bad  bool
}

func (d *decoder) took(n int) {
	if n <= 0 {
		d.bad, d.rest = true, nil
		return
	}
	d.rest = d.rest[n:]
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.rest)
	d.took(n)
	return v
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.rest)
	d.took(n)
	return v
}

func (d *decoder) bytes(n uint64) []byte {
	if n > uint64(len(d.rest)) {
		d.bad, d.rest = true, nil
		return nil
	}
	p := d.rest[:n]
	d.rest = d.rest[n:]
	return p
}
