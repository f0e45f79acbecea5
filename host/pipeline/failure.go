package pipeline

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"sync/atomic"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/stream"
)

// Headers that a dead letter has besides its own.
const (
	HeaderVertex   = "wasmill-vertex"
	HeaderPosition = "wasmill-position" // the source record it came from
	HeaderAttempts = "wasmill-attempts"
	HeaderCode     = "wasmill-code"
	HeaderReason   = "wasmill-reason"
)

// maxPreview is how much of a value an error shows, in bytes.
const maxPreview = 80

// failures decides about the records that a vertex could not handle.
type failures struct {
	vertex   stream.VertexID
	policy   *atomic.Pointer[policy]
	dead     stream.Tag
	describe func(*stream.Record) string // says which source record it was
	stats    *counters
	gaveUp   func(stream.VertexID, error) // may be nil
}

// policy is what a vertex does about failures, which may change while records move.
type policy struct {
	onError OnError
	retry   Retry
	headers []Header // of each dead letter
}

func policyOf(v *Vertex) *policy { return &policy{v.OnError, v.Retry, v.Headers} }

// located adds the place of a record to its error.
func (f *failures) located(in *stream.Batch, i int, err error) error {
	where := fmt.Sprintf("%s, %s", f.vertex, f.describe(&in.Records[i]))
	if isTimer(&in.Records[i]) {
		where += ", key " + preview(in.Key(i))
	}
	where += ", value " + preview(in.Value(i))
	var e *stream.Error
	if errors.As(err, &e) {
		named := *e
		named.Where = where
		return &named
	}
	return fmt.Errorf("%s: %w", where, err)
}

// preview quotes the beginning of what a record has.
func preview(v []byte) string {
	text := strconv.Quote(string(v[:min(len(v), maxPreview)]))
	if len(v) > maxPreview {
		text += fmt.Sprintf("… (%d bytes)", len(v))
	}
	return text
}

// turnedDown is the error of a record that a transform reports.
func (t *transformLoop) turnedDown(reason string) error {
	e := &stream.Error{
		Code: stream.RecordError, Why: "the plugin reports: " + reason,
		Fix: "correct the record, let the plugin emit such records with a tag, or set onError of the vertex to deadLetter or drop",
	}
	if t.keyed != nil {
		e.Why, e.Fix = reason, "correct the record, or set onError of the vertex to deadLetter or drop"
	}
	return e
}

// judge ends what cannot be tried again: it drops record i of in, or adds a dead
// letter to out, or returns the error that the vertex fails with.
func (f *failures) judge(in *stream.Batch, i, attempts int, err error, out *stream.Batch) error {
	switch f.policy.Load().onError {
	case OnErrorDrop:
		f.stats.dropped[DroppedError].Add(1)
	case OnErrorDeadLetter:
		f.stats.deadLetters.Add(1)
		f.appendDeadLetter(out, in, i, attempts, err)
	default:
		return f.located(in, i, err)
	}
	if f.gaveUp != nil {
		f.gaveUp(f.vertex, f.located(in, i, err))
	}
	return nil
}

// maxReason is how much of an error a dead letter has, in bytes.
const maxReason = 2 << 10

func (f *failures) appendDeadLetter(out, in *stream.Batch, i, attempts int, err error) {
	headers := append([]byte(nil), in.Headers(i)...)
	add := func(name, value string) {
		headers = abi.AppendHeader(headers, name, []byte(value[:min(len(value), maxReason)]))
	}
	for _, h := range f.policy.Load().headers {
		add(h.Name, h.Value)
	}
	add(HeaderVertex, string(f.vertex))
	add(HeaderPosition, f.describe(&in.Records[i]))
	add(HeaderAttempts, strconv.Itoa(attempts))
	reason := err.Error()
	var e *stream.Error
	if errors.As(err, &e) {
		add(HeaderCode, string(e.Code))
		reason = e.Reason()
	}
	add(HeaderReason, reason)
	r := in.Records[i]
	r.Key, r.Value, r.Headers, r.Tag = out.Store(in.Key(i)), out.Store(in.Value(i)), out.Store(headers), f.dead
	out.Records = append(out.Records, r)
}

// failed goes on with a call that failed, as a whole or for some records. It
// returns true if the call, with fewer records perhaps, is to be made again at
// once, and parked if that is left to later.
func (t *transformLoop) failed(c *call, err error) (again, parked bool, _ error) {
	c.failed = true
	fs := c.out.Failures
	slices.SortStableFunc(fs, func(a, b stream.Failure) int { return a.Input - b.Input })
	c.out.Failures = slices.CompactFunc(fs, func(a, b stream.Failure) bool { return a.Input == b.Input })
	var fatal *stream.Fatal
	switch {
	case errors.As(err, &fatal):
		return false, false, fatal.Err
	case c.in.Len() == 1:
		if err == nil {
			err = t.turnedDown(c.out.Failures[0].Reason)
		}
		return t.failedAlone(c, err)
	case err == nil && (!t.ordered || c.out.Kept):
		return false, false, t.setApart(c)
	}
	t.pool.Put(c.out.Batch)
	if err == nil {
		t.cutOut(c)
		return true, false, nil
	}
	size := pieceSize(c.in.Len())
	for at := (c.in.Len() - 1) / size * size; at > 0; at -= size {
		t.cut(c, at)
	}
	return true, false, nil
}

// pieceSize returns how many records of n a call keeps that failed as a whole.
// Each call that fails costs an instance, which is dear, and one that does not
// little. So one record of a thousand is found in two steps of about 32 calls each,
// where halves take ten that fail.
func pieceSize(n int) int {
	if n <= 64 {
		return 1
	}
	return int(math.Ceil(math.Sqrt(float64(n))))
}

// failedAlone is for a call with one record.
func (t *transformLoop) failedAlone(c *call, err error) (again, parked bool, _ error) {
	out := c.out.Batch
	if t.in.retry(c, true) {
		t.pool.Put(out)
		return false, true, nil
	}
	out.Reset()
	return false, false, t.failures.judge(c.in, 0, c.attempts, err, out)
}

// cut leaves the first n records to a call and makes another one of the rest.
func (t *transformLoop) cut(c *call, n int) {
	rest := t.pool.New()
	rest.Watermark, rest.Least = c.in.Watermark, c.in.Least
	for i := n; i < c.in.Len(); i++ {
		rest.AppendFrom(c.in, i)
	}
	c.in.Records = c.in.Records[:n]
	t.in.repeat(t.in.split(c, rest))
}

// cutOut makes a call of each record that failed, and of what lies between them;
// the first of these is c.
func (t *transformLoop) cutOut(c *call) {
	for _, f := range slices.Backward(c.out.Failures) {
		for _, at := range []int{f.Input + 1, f.Input} {
			if 0 < at && at < c.in.Len() {
				t.cut(c, at)
			}
		}
	}
}

// setApart takes the records that failed out of a call that succeeded otherwise,
// and makes a call of each that is to be tried again.
func (t *transformLoop) setApart(c *call) error {
	if t.failures.policy.Load().retry.Attempts <= 1 {
		for _, f := range c.out.Failures {
			if err := t.failures.judge(c.in, f.Input, 1, t.turnedDown(f.Reason), c.out.Batch); err != nil {
				return err
			}
		}
		return nil
	}
	var others []*stream.Batch
	kept, from := make([]stream.Record, 0, c.in.Len()), 0
	for _, f := range c.out.Failures {
		one := t.pool.New()
		one.Watermark, one.Least = c.in.Watermark, c.in.Records[f.Input].Time
		one.AppendFrom(c.in, f.Input)
		others = append(others, one)
		kept = append(kept, c.in.Records[from:f.Input]...)
		from = f.Input + 1
	}
	t.in.setApart(c, append(kept, c.in.Records[from:]...), others)
	return nil
}
