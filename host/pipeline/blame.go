package pipeline

import (
	"context"
	"errors"
	"fmt"

	"github.com/wasmill/wasmill/host/stream"
)

// blame finds the record that made a call fail, by calling with ever smaller
// parts of its input, and returns the error with that record's name. The
// results of these calls are thrown away.
func (t *transformLoop) blame(ctx context.Context, in *stream.Batch, err error) error {
	lo, hi := 0, in.Len()
	for hi-lo > 1 && ctx.Err() == nil {
		mid := lo + (hi-lo)/2
		switch first := t.try(ctx, in, lo, mid); {
		case first != nil:
			hi, err = mid, first
		default:
			second := t.try(ctx, in, mid, hi)
			if second == nil { // neither half alone
				return t.locate(in, lo, hi, err)
			}
			lo, err = mid, second
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return t.locate(in, lo, hi, err)
}

// try calls the transform with records lo to hi of a batch.
func (t *transformLoop) try(ctx context.Context, in *stream.Batch, lo, hi int) error {
	part, out := t.pool.New(), stream.Output{Batch: t.pool.New()}
	defer t.pool.Put(part)
	defer t.pool.Put(out.Batch)
	part.Watermark = in.Watermark
	for i := lo; i < hi; i++ {
		part.AppendFrom(in, i)
	}
	return t.transform.Call(ctx, part, &out)
}

// maxPreview is how much of a value an error shows, in bytes.
const maxPreview = 80

// locate adds the place of the records to the error of a call.
func (t *transformLoop) locate(in *stream.Batch, lo, hi int, err error) error {
	where := string(t.name) + ", " + t.describe(&in.Records[lo])
	if hi-lo > 1 {
		where += fmt.Sprintf(" and the %d after it, only together", hi-lo-1)
	} else {
		v := in.Value(lo)
		where += fmt.Sprintf(", value %q", v[:min(len(v), maxPreview)])
		if len(v) > maxPreview {
			where += fmt.Sprintf("… (%d bytes)", len(v))
		}
	}
	var e *stream.Error
	if errors.As(err, &e) {
		named := *e
		named.Where = where
		return &named
	}
	return fmt.Errorf("%s: %w", where, err)
}
