package process

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/stream"
)

// keeping is a guest that keeps a value and sets timers, which it moves on.
type keeping struct{}

func (keeping) Process(_ context.Context, s *Session, in *stream.Batch, _ *stream.Output) error {
	for i := range in.Records {
		if err := s.Put(i, []byte("name"), in.Value(i), 0); err != nil {
			return err
		}
		for clock, name := range []string{EventTime: "e", WallClock: "w"} {
			for _, at := range []int64{1e9, int64(clock+2) * 1e9} {
				if err := s.SetTimer(i, clock, []byte(name), at); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (keeping) Close(context.Context) error { return nil }

func TestWhatIsKeptCanBeLookedAt(t *testing.T) {
	k := NewTransform(Config{Vertex: "v", Groups: 4, MaxBytes: 1 << 20, CallBytes: 1 << 20}, keeping{})
	b := &stream.Batch{Watermark: stream.NoWatermark}
	for _, r := range [][2]string{{"a", "text"}, {"\xff", "\xfe"}, {"c", ""}} {
		b.Append(0, []byte(r[0]), []byte(r[1]), nil)
		b.Records[b.Len()-1].Group = uint16(k.Group([]byte(r[0])))
	}
	if err := k.In(t.Context(), b, &stream.Output{Batch: &stream.Batch{}}); err != nil {
		t.Fatal(err)
	}
	var lines []string
	k.Look(func(entry []byte) { lines = append(lines, string(entry)) })
	slices.Sort(lines)
	want := `
{"key":"","keyBase64":"/w==","name":"e","timer":"event","at":"1970-01-01T00:00:02Z"}
{"key":"","keyBase64":"/w==","name":"name","valueBase64":"/g=="}
{"key":"","keyBase64":"/w==","name":"w","timer":"clock","at":"1970-01-01T00:00:03Z"}
{"key":"a","name":"e","timer":"event","at":"1970-01-01T00:00:02Z"}
{"key":"a","name":"name","value":"text"}
{"key":"a","name":"w","timer":"clock","at":"1970-01-01T00:00:03Z"}
{"key":"c","name":"e","timer":"event","at":"1970-01-01T00:00:02Z"}
{"key":"c","name":"name","value":""}
{"key":"c","name":"w","timer":"clock","at":"1970-01-01T00:00:03Z"}`
	if got := "\n" + strings.Join(lines, "\n"); got != want {
		t.Errorf("got:%s", got)
	}
}
