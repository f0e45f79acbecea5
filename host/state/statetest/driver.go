package statetest

import (
	"context"
	"fmt"

	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/host/stream"
)

// Driver drives a vertex as a pipeline does: it makes calls again without the records
// that fail, and has what is due handled at once.
type Driver struct {
	stream.Durable
	T *rapid.T
	// Ended takes back that the end of time was reached; nil if that is not known.
	Ended func()

	said     []string
	forgiven bool // calls may fail: state is damaged
}

// Record is one of a call.
type Record struct {
	Key, Value string
	Time       int64
	Port       uint16
}

// heard returns what came out since the last call.
func (d *Driver) heard() []string {
	said := d.said
	d.said = nil
	return said
}

// reopen takes back that the end of time was reached, as a restore does.
func (d *Driver) reopen() {
	if d.Ended != nil {
		d.Ended()
	}
}

// Take makes one call, and others without the records that fail.
func (d *Driver) Take(w stream.Watermark, records ...Record) {
	in := &stream.Batch{}
	for i, r := range records {
		in.Append(r.Time, []byte(r.Key), []byte(r.Value), nil)
		last := &in.Records[i]
		last.Port, last.Seq, last.Source = r.Port, stream.Seq(i), 1
		key, ok := d.Key(in, i)
		if last.Group = uint16(d.Group(key)); !ok {
			last.Port = stream.NoKey
		}
	}
	d.in(w, in)
}

func (d *Driver) in(w stream.Watermark, in *stream.Batch) {
	for in.Len() > 0 {
		in.Watermark = w
		out := stream.Output{Batch: &stream.Batch{}}
		if err := d.In(context.Background(), in, &out); err != nil {
			d.fail(err)
			return
		}
		if len(out.Failures) == 0 || out.Kept {
			d.hear(&out)
		}
		bad := map[int]bool{}
		for _, f := range out.Failures {
			d.said = append(d.said, fmt.Sprintf("record %d: %s", f.Input, f.Reason))
			bad[f.Input] = true
		}
		if len(bad) == 0 || out.Kept {
			return
		}
		rest := &stream.Batch{}
		for i := range in.Records {
			if !bad[i] {
				rest.AppendFrom(in, i)
			}
		}
		in = rest
	}
}

func (d *Driver) hear(out *stream.Output) {
	for i, r := range out.Records {
		d.said = append(d.said, fmt.Sprintf("%q: %s at %d, of %d/%d, tag %d", out.Key(i), out.Value(i), r.Time, r.Source, r.Seq, r.Tag))
	}
}

func (d *Driver) fail(err error) {
	if !d.forgiven {
		d.T.Fatal(err)
	}
}

// Until does everything that is due, in two ranges of groups.
func (d *Driver) Until(w stream.Watermark, now int64) {
	half := d.Groups() / 2
	d.advance(0, half, w, now)
	d.advance(half, d.Groups(), w, now)
}

func (d *Driver) advance(from, to int, w stream.Watermark, now int64) {
	for range 10_000 {
		at, due := d.Due(from, to)
		alarm, rings := d.Alarm(from, to)
		if (!due || at > w) && (!rings || alarm > now) {
			return
		}
		in, out := &stream.Batch{}, stream.Output{Batch: &stream.Batch{}}
		if err := d.Advance(context.Background(), from, to, w, now, in, &out); err != nil {
			d.fail(err)
			return
		}
		d.hear(&out)
		d.in(w, in)
	}
	d.fail(fmt.Errorf("something is due again and again up to %d and %d", w, now))
}
