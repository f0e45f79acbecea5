package pipeline

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync/atomic"

	"github.com/wasmill/wasmill/host/stream"
)

// transformLoop runs the calls of one transform.
type transformLoop struct {
	name      stream.VertexID
	transform stream.Transform
	keyed     stream.Keyed // the same, if it is one; else nil
	left      atomic.Int32 // workers that have not ended
	hire      func()       // starts a worker; set by Pipeline.start
	wake      func()       // Vertex.Wake
	in        *inbox
	out       *router
	pool      *stream.BatchPool
	ordered   bool // results leave in the order of their inputs, all or those of a key
	failures  failures
	snapshot  func(stream.VertexID, *stream.Barrier, Snapshot) // may be nil
}

// run is one of the workers, of which there is one more than calls at once: one
// may have to wait for the downstream. The last one to end closes the outbound
// edges. If one fails they stay open: a closed edge promises that nothing is
// missing.
func (t *transformLoop) run(ctx context.Context) error {
	if err := t.work(ctx); err != nil {
		return err
	}
	if t.left.Add(-1) == 0 {
		t.out.close()
	}
	return nil
}

// work makes calls and sends what they return, until the inbox has ended.
func (t *transformLoop) work(ctx context.Context) error {
	for {
		c, err := t.in.take()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, errShort):
			t.left.Add(1)
			t.hire()
			continue
		case errors.Is(err, errWake):
			t.wake()
			continue
		case err != nil:
			return err
		case c == nil:
			err = t.send(ctx)
		default:
			err = t.handle(ctx, c)
		}
		if err != nil {
			return err
		}
	}
}

// handle makes a call. Its permit is given back when it returns.
func (t *transformLoop) handle(ctx context.Context, c *call) error {
	if len(c.more) > 0 {
		t.join(c)
	}
	if c.due {
		if err := t.advance(ctx, c); err != nil {
			return err
		}
	}
	for c.in.Len() > 0 {
		c.out.Batch, c.out.Failures = t.pool.New(), c.out.Failures[:0]
		err := t.call(ctx, c)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err == nil && len(c.out.Failures) == 0 {
			break
		}
		again, parked, err := t.failed(c, err)
		if err != nil || parked {
			return err
		}
		if !again {
			break
		}
	}
	if c.own != nil {
		c.own.AppendAll(c.out.Batch)
		t.pool.Put(c.out.Batch)
		c.out.Batch, c.own = c.own, nil
	}
	return t.finish(ctx, c)
}

// join makes one input of all that a call was made of.
func (t *transformLoop) join(c *call) {
	for _, b := range c.more {
		c.in.AppendAll(b)
	}
	t.in.join(c)
	for i, b := range c.more {
		t.pool.Put(b)
		c.more[i] = nil
	}
	c.more = c.more[:0]
}

func (t *transformLoop) call(ctx context.Context, c *call) error {
	if t.keyed != nil {
		return t.keyed.In(ctx, c.in, &c.out)
	}
	return t.transform.Call(ctx, c.in, &c.out)
}

// advance does what is due in the slot of a call. What comes of it that is to be
// handled like records becomes the call's input.
func (t *transformLoop) advance(ctx context.Context, c *call) error {
	c.out.Batch = t.pool.New()
	err := t.keyed.Advance(ctx, c.slot.from, c.slot.to, c.upTo, c.now, c.in, &c.out)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return err
	}
	c.due = false
	if c.in.Len() == 0 {
		return nil
	}
	if c.own = c.out.Batch; c.own.Len() == 0 {
		t.pool.Put(c.own)
		c.own = nil
	}
	t.divide(c, t.in.filled(c))
	return nil
}

// divide leaves to a call as much as fits a limit, and makes calls of the rest.
func (t *transformLoop) divide(c *call, limit Limit) {
	var cuts []int
	for i, from, bytes := 0, 0, 0; i < c.in.Len(); i++ {
		size := recordBytes(&c.in.Records[i])
		if bytes += size; i > from && (i-from >= limit.Records || bytes > limit.Bytes) {
			cuts, from, bytes = append(cuts, i), i, size
		}
	}
	for _, at := range slices.Backward(cuts) {
		t.cut(c, at)
	}
}

// finish hands the results of a call over, and sends if that is this worker's
// duty now.
func (t *transformLoop) finish(ctx context.Context, c *call) error {
	if t.in.done(c) {
		return t.send(ctx)
	}
	return nil
}

// send sends what is due, as the only sender of the vertex, until nothing is.
func (t *transformLoop) send(ctx context.Context) error {
	var accepted *call
	for {
		c, mark, ok := t.in.next(accepted)
		if !ok {
			return nil
		}
		if accepted = c; c != nil {
			if err := t.out.forward(ctx, c.in, c.out.Batch); err != nil {
				return err
			}
			continue
		}
		if mark.Barrier != nil && t.snapshot != nil {
			t.snapshot(t.name, mark.Barrier, t.in.takeSnapshot())
		}
		if err := t.out.broadcast(ctx, mark); err != nil {
			return err
		}
		if mark.Barrier != nil {
			t.in.passed()
		}
	}
}
