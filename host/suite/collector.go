package suite

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/stream"
)

// Record is one that goes in or comes out.
type Record struct {
	Time       int64 // ns since 1970
	Key, Value []byte
	Headers    []Header
	Tag        string
	DeadLetter bool
	Input      int // the number of the record of the input that was in when it came out; 0 = time has ended

	port uint16
}

// Header is one of a record's.
type Header struct{ Name, Value string }

// header returns the first value under a name.
func (r *Record) header(name string) (string, bool) {
	for _, h := range r.Headers {
		if h.Name == name {
			return h.Value, true
		}
	}
	return "", false
}

// collector is a sink in memory.
type collector struct {
	outlets []outlet      // by port, if they say what records are
	record  *atomic.Int64 // the number of the record that is in

	mu      sync.Mutex
	records []Record // guarded by mu
	settled int      // guarded by mu; how many belong to steps that are over
}

// Open implements stream.Sink.
func (c *collector) Open(context.Context) error { return nil }

// Write implements stream.Sink.
func (c *collector) Write(_ context.Context, b *stream.Batch) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range b.Records {
		r := Record{Time: b.Records[i].Time, Key: bytes.Clone(b.Key(i)), Value: bytes.Clone(b.Value(i)), Input: int(c.record.Load()), port: b.Records[i].Port}
		for name, value, rest, ok := abi.NextHeader(b.Headers(i)); ok; name, value, rest, ok = abi.NextHeader(rest) {
			r.Headers = append(r.Headers, Header{string(name), string(value)})
		}
		if int(r.port) < len(c.outlets) {
			r.Tag, r.DeadLetter = c.outlets[r.port].tag, c.outlets[r.port].dead
		}
		c.records = append(c.records, r)
	}
	return nil
}

// settle ends a step: what it brought stays in the order of the edges that it came by.
func (c *collector) settle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.outlets == nil {
		slices.SortStableFunc(c.records[c.settled:], func(a, b Record) int { return cmp.Compare(a.port, b.port) })
	}
	c.settled = len(c.records)
}

// Flush implements stream.Sink.
func (c *collector) Flush(context.Context) error { return nil }

// Close implements stream.Sink.
func (c *collector) Close() error { return nil }
