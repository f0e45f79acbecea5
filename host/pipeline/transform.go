package pipeline

import (
	"context"
	"errors"
	"io"
	"sync/atomic"

	"github.com/wasmill/wasmill/host/stream"
)

// transformLoop runs the calls of one transform.
type transformLoop struct {
	name      stream.VertexID
	transform stream.Transform
	order     Order
	limit     Limit        // of one call
	left      atomic.Int32 // workers that have not ended
	in        *inbox
	out       *router
	stats     *counters
	pool      *stream.BatchPool
	describe  func(r *stream.Record) string // says which source record it was
}

// run is one of the workers; the last one to end closes the outbound edges. If
// one fails they stay open: a closed edge promises that nothing is missing.
func (t *transformLoop) run(ctx context.Context) error {
	if err := t.work(ctx); err != nil {
		return err
	}
	if t.left.Add(-1) == 0 {
		t.out.close()
	}
	return nil
}

// work takes calls, makes them and sends what they return, until the inbox has
// ended.
func (t *transformLoop) work(ctx context.Context) error {
	var c call
	var out stream.Output
	for {
		err := t.in.take(&c, t.limit, true)
		if errors.Is(err, io.EOF) {
			return t.release(ctx)
		}
		if err != nil {
			return err
		}
		if err := t.release(ctx); err != nil {
			return err
		}
		if c.in == nil {
			continue
		}
		if err := t.handle(ctx, &c, &out); err != nil {
			return err
		}
		if err := t.release(ctx); err != nil {
			return err
		}
	}
}

// handle makes one call and sends its results.
func (t *transformLoop) handle(ctx context.Context, c *call, out *stream.Output) error {
	n := c.in.Len()
	t.stats.begin(n)
	defer t.stats.end(n)
	out.Batch, out.Failures = t.pool.New(), out.Failures[:0]
	if err := t.transform.Call(ctx, c.in, out); err != nil {
		return t.blame(ctx, c.in, err)
	}
	if len(out.Failures) > 0 {
		f := out.Failures[0]
		return t.failed(&c.in.Records[f.Input], f.Reason)
	}
	if t.order == OrderInput && !t.in.seq.wait(c) {
		return context.Cause(ctx)
	}
	if err := t.out.forward(ctx, c.in, out.Batch); err != nil {
		return err
	}
	t.in.seq.finish(c)
	t.pool.Put(c.in)
	return nil
}

// release sends the watermarks and barriers that are due.
func (t *transformLoop) release(ctx context.Context) error {
	return t.in.seq.release(func(it stream.Item) error {
		if err := t.out.broadcast(ctx, it); err != nil {
			return err
		}
		if it.Barrier != nil {
			t.in.resume()
		} else {
			t.stats.watermark.Store(int64(it.Watermark))
		}
		return nil
	})
}

// failed is the error of a record that the transform turned down.
func (t *transformLoop) failed(r *stream.Record, reason string) error {
	return &stream.Error{
		Code:  stream.RecordError,
		Where: string(t.name) + ", " + t.describe(r),
		Why:   "the plugin reports: " + reason,
		Fix:   "correct the record, or let the plugin emit such records with a tag",
	}
}
