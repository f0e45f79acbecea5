package process

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/state"
	"github.com/wasmill/wasmill/host/stream"
)

// guest makes a function a Guest.
type guest func(s *Session, in *stream.Batch, out *stream.Output) error

func (g guest) Process(_ context.Context, s *Session, in *stream.Batch, out *stream.Output) error {
	return g(s, in, out)
}

func (guest) Close(context.Context) error { return nil }

var errTrap = errors.New("trap")

// script is a guest that does what the values of records say: words such as
//
//	put:name:value:ttl  get:name  del:name  list:prefix  at:clock:name:time  off:clock:name  fail  trap
//
// A timer does what its name says. It emits what it read.
var script = guest(func(s *Session, in *stream.Batch, out *stream.Output) error {
	for i := range in.Records {
		text, err := run(s, i, in)
		switch {
		case errors.Is(err, errFail):
			out.Failures = append(out.Failures, stream.Failure{Input: i, Reason: "fail"})
			continue
		case err != nil:
			return err
		}
		r := in.Records[i]
		out.Append(r.Time, in.Key(i), []byte(text), nil)
		out.Records[out.Len()-1].Source = r.Source
	}
	return nil
})

var errFail = errors.New("fail")

func run(s *Session, i int, in *stream.Batch) (string, error) {
	var said []string
	say := func(text string) { said = append(said, text) }
	for word := range strings.FieldsSeq(string(in.Value(i))) {
		p := append(strings.Split(word, ":"), "", "", "")
		name := []byte(p[1])
		var err error
		switch p[0] {
		case "put":
			err = s.Put(i, name, []byte(p[2]), number(p[3]))
		case "get":
			if v, ok := s.Get(i, name); ok {
				say(fmt.Sprintf("%s=%s", name, v))
			}
		case "del":
			err = s.Delete(i, name)
		case "list":
			s.List(i, name, func(n, v []byte) bool {
				say(fmt.Sprintf("%s=%s", n, v))
				return true
			})
			say(".")
		case "at":
			err = s.SetTimer(i, int(number(p[1])), []byte(p[2]), number(p[3]))
		case "off":
			err = s.DeleteTimer(i, int(number(p[1])), []byte(p[2]))
		case "fail":
			err = errFail
		case "trap":
			err = errTrap
		}
		if err != nil {
			return "", err
		}
	}
	return strings.Join(said, " "), nil
}

func number(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}

// record is one of a batch.
type record struct {
	key, value string
	time       int64
	port       uint16
}

func batch(t *Transform, w stream.Watermark, records ...record) *stream.Batch {
	b := (&stream.BatchPool{}).New()
	b.Watermark = w
	for _, r := range records {
		b.Append(r.time, []byte(r.key), []byte(r.value), nil)
		last := &b.Records[b.Len()-1]
		last.Port, last.Group = r.port, uint16(t.Group([]byte(r.key)))
	}
	return b
}

func output() *stream.Output { return &stream.Output{Batch: (&stream.BatchPool{}).New()} }

// in calls In, and returns what was emitted on one line.
func in(t testing.TB, tr *Transform, w stream.Watermark, records ...record) string {
	t.Helper()
	out := output()
	if err := tr.In(t.Context(), batch(tr, w, records...), out); err != nil {
		t.Fatal(err)
	}
	if len(out.Failures) > 0 {
		t.Fatalf("failures %+v", out.Failures)
	}
	return values(out)
}

func values(out *stream.Output) string {
	var all []string
	for i := range out.Records {
		all = append(all, string(out.Value(i)))
	}
	return strings.Join(all, "; ")
}

// advance takes timers and returns them as key/name@time by port.
func advance(t testing.TB, tr *Transform, upTo stream.Watermark, now int64) string {
	t.Helper()
	b := (&stream.BatchPool{}).New()
	if err := tr.Advance(t.Context(), 0, tr.Groups(), upTo, now, b, output()); err != nil {
		t.Fatal(err)
	}
	var all []string
	for i, r := range b.Records {
		clock := map[uint16]string{stream.EventTimer: "event", stream.ClockTimer: "clock"}[r.Port]
		if r.Source != stream.NoSource || int(r.Group) != tr.Group(b.Key(i)) {
			t.Errorf("record %+v", r)
		}
		all = append(all, fmt.Sprintf("%s/%s@%d by %s", b.Key(i), b.Value(i), r.Time, clock))
	}
	return strings.Join(all, "; ")
}

func scripted(groups int) *Transform {
	return NewTransform(Config{Vertex: "v", Groups: groups, MaxBytes: 1 << 20, CallBytes: 1 << 20}, script)
}

// holds returns all that a transform remembers, on one line.
func holds(t *Transform) string {
	var all []string
	for g := range t.cfg.Groups {
		t.store.Range(state.Group(g), nil, func(key, value []byte) bool {
			all = append(all, fmt.Sprintf("%q=%q", key, value))
			return true
		})
	}
	values, timers := t.Usage()
	return fmt.Sprint(all, values.Keys, values.Bytes, timers.Keys, timers.Bytes)
}
