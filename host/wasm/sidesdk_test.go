package wasm

import (
	"slices"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/stream"
)

// TestTheExamplesOfTheSDKsReadASideInput builds the example in the comment of each SDK's
// file for side inputs, and gives it one and another.
func TestTheExamplesOfTheSDKsReadASideInput(t *testing.T) {
	for _, language := range []string{"c", "rust", "go", "zig", "assemblyscript"} {
		t.Run(language, func(t *testing.T) {
			e := newEngine(t)
			path := documented(t, language, "side", "bytes", "strconv")
			checkGuest(t, path, "")
			p, err := e.Load(t.Context(), path, DefaultLimits())
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := p.Close(t.Context()); err != nil {
					t.Error(err)
				}
			}()
			tr := mustTransform(t, p, Config{Vertex: "v"})
			for _, c := range []struct{ factor, want string }{{"", "14"}, {"3\n", "42"}, {"3\n", "42"}, {"100000" + strings.Repeat(" ", 100_000), "1400000"}, {"2", "28"}} {
				if c.factor != "" {
					tr.SetSide("factor", []byte(c.factor))
				}
				out := stream.Output{Batch: (&stream.BatchPool{}).New()}
				if err := tr.Call(t.Context(), batchOf([]abitest.Record{{Value: "14"}, {Value: "none"}, {Value: "14"}}), &out); err != nil {
					t.Fatal(err)
				}
				want := []abitest.Record{{Value: c.want}, {Value: c.want}}
				if got := recordsOf(out.Batch); !slices.Equal(got, want) || len(out.Failures) != 1 {
					t.Errorf("with %.10q: got %+v and %d failures, want %+v and one", c.factor, got, len(out.Failures), want)
				}
			}
		})
	}
}
