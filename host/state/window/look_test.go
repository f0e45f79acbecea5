package window

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// lengths is a guest in Go that keeps a byte for each record.
type lengths struct{}

func (lengths) Merges() bool { return true }

func (lengths) Add(_ context.Context, p *stream.Panes, _ *stream.Output) error {
	for i := range p.Table {
		w := &p.Table[i]
		acc := append(slices.Clone(p.Accumulators[w.Accumulator.Off:][:w.Accumulator.Len]), make([]byte, w.Count)...)
		w.Accumulator = stream.Span{Off: uint32(len(p.Accumulators)), Len: uint32(len(acc))}
		p.Accumulators = append(p.Accumulators, acc...)
	}
	return nil
}

func (lengths) Merge(_ context.Context, p *stream.Panes) error { return nil }

func (lengths) Result(context.Context, *stream.Panes, *stream.Output) error { return nil }

func TestWhatIsOpenCanBeLookedAt(t *testing.T) {
	in := func(k stream.Keyed) {
		b := &stream.Batch{Watermark: stream.NoWatermark}
		for _, r := range []struct {
			key string
			at  time.Duration
		}{{"a", time.Second}, {"a", 2 * time.Second}, {"b", 61 * time.Second}, {`"`, 0}} {
			b.Append(int64(r.at), []byte(r.key), []byte("1"), nil)
			b.Records[b.Len()-1].Group = uint16(k.Group([]byte(r.key)))
		}
		if err := k.In(t.Context(), b, &stream.Output{Batch: &stream.Batch{}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name string
		spec Spec
		want string // sorted
	}{
		{"fixed windows", Spec{Kind: Fixed, Size: time.Minute}, `
{"key":"\"","start":"1970-01-01T00:00:00Z","end":"1970-01-01T00:01:00Z",1}
{"key":"a","start":"1970-01-01T00:00:00Z","end":"1970-01-01T00:01:00Z",2}
{"key":"b","start":"1970-01-01T00:01:00Z","end":"1970-01-01T00:02:00Z",1}`},
		{"sessions, which end a gap after their last record", Spec{Kind: Session, Gap: 10 * time.Second}, `
{"key":"\"","start":"1970-01-01T00:00:00Z","end":"1970-01-01T00:00:10Z",1}
{"key":"a","start":"1970-01-01T00:00:01Z","end":"1970-01-01T00:00:12Z",2}
{"key":"b","start":"1970-01-01T00:01:01Z","end":"1970-01-01T00:01:11Z",1}`},
		{"the window of all times", Spec{Kind: Global}, `
{"key":"\"","start":null,"end":null,1}
{"key":"a","start":null,"end":null,2}
{"key":"b","start":null,"end":null,1}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			built, err := NewTransform(Config{Vertex: "v", Spec: test.spec, Aggregate: "count", Groups: 4, MaxBytes: 1 << 20})
			if err != nil {
				t.Fatal(err)
			}
			guests, err := NewGuests(GuestConfig{Vertex: "v", Spec: test.spec, Guest: lengths{}, Groups: 4, MaxBytes: 1 << 20})
			if err != nil {
				t.Fatal(err)
			}
			for name, looked := range map[string]interface {
				stream.Keyed
				Look(visit func(entry []byte))
			}{`"count":`: built, `"bytes":`: guests} {
				in(looked)
				var lines []string
				looked.Look(func(entry []byte) { lines = append(lines, strings.Replace(string(entry), name, "", 1)) })
				slices.Sort(lines)
				if got := "\n" + strings.Join(lines, "\n"); got != test.want {
					t.Errorf("%s got:%s\nwant:%s", name, got, test.want)
				}
			}
		})
	}
}
