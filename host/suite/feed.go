package suite

import (
	"context"
	"io"
	"sync/atomic"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/stream"
)

// feed is a source in memory. It reads one thing at a time, when the stepper gives it.
type feed struct {
	next    chan step
	given   int64            // of the stepper: steps given
	over    bool             // of the stepper: the end was given
	taken   int64            // of the reader: steps taken
	done    atomic.Int64     // steps that are taken, and sent
	reached stream.Watermark // of the reader
}

// step is what comes next: a record, a watermark, or the end.
type step struct {
	record    *Record
	watermark stream.Watermark
	end       bool
}

func newFeed() *feed { return &feed{next: make(chan step), reached: stream.NoWatermark} }

// Open implements stream.Source.
func (f *feed) Open(context.Context, stream.Position) error { return nil }

// Read implements stream.Source: that it is called says that what was read is sent.
func (f *feed) Read(ctx context.Context, b *stream.Batch) error {
	f.done.Store(f.taken)
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case s := <-f.next:
		f.taken++
		switch {
		case s.end:
			return io.EOF
		case s.record == nil:
			f.reached = s.watermark
			return nil
		}
		r := s.record
		b.Append(r.Time, r.Key, r.Value, headerBlock(r.Headers))
		return nil
	}
}

// Reached implements stream.Timed.
func (f *feed) Reached() stream.Watermark { return f.reached }

// Position implements stream.Source. There is nothing to come back to.
func (f *feed) Position(dst []byte) stream.Position { return append(dst, 1) }

// Ack implements stream.Source.
func (f *feed) Ack(context.Context, stream.Position) error { return nil }

// Close implements stream.Source.
func (f *feed) Close() error { return nil }

func headerBlock(headers []Header) (block []byte) {
	for _, h := range headers {
		block = abi.AppendHeader(block, h.Name, []byte(h.Value))
	}
	return block
}

// relay stands for a vertex before the part that is tested: it gives records the tag
// that the stepper sets.
type relay struct{ tag atomic.Uint32 }

// Call implements stream.Transform.
func (r *relay) Call(_ context.Context, in *stream.Batch, out *stream.Output) error {
	for _, one := range in.Records {
		one.Tag = stream.Tag(r.tag.Load())
		out.Records = append(out.Records, one)
	}
	out.SwapArena(in)
	return nil
}

// Close implements stream.Transform.
func (r *relay) Close(context.Context) error { return nil }
