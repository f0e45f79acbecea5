package wasm

import (
	"slices"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/stream"
)

// TestGuestsInZigAndAssemblyScriptKeepState has guests do with state and timers what the
// examples of their SDKs do not.
func TestGuestsInZigAndAssemblyScriptKeepState(t *testing.T) {
	long := strings.Repeat("long ", 1000)
	for _, name := range []string{"zigstate", "asstate"} {
		t.Run(name, func(t *testing.T) {
			p := mustLoad(t, newEngine(t), buildGuest(t, "state", name))
			for _, f := range p.Check(t.Context(), nil) {
				if f.Err != nil {
					t.Errorf("%s: %v", f.Check, f.Err)
				}
			}
			tr := mustTransform(t, p, Config{Vertex: "v", Params: []byte(`{"a":"b"}`)})
			s := abitest.NewState()
			does := func(port uint16, values ...string) (got []string) {
				t.Helper()
				var records []abitest.Record
				for _, v := range values {
					records = append(records, abitest.Record{Time: 1, Key: "ann", Value: v})
				}
				in, out := batchOf(records), stream.Output{Batch: (&stream.BatchPool{}).New()}
				for i := range in.Records {
					in.Records[i].Port = port
				}
				s.Begin(records)
				if err := tr.Process(t.Context(), s, in, &out); err != nil {
					t.Fatal(err)
				}
				for _, r := range recordsOf(out.Batch) {
					got = append(got, r.Value)
				}
				return got
			}
			if got, want := does(0, "get b1", "number b1", "put b1 four", "put b2 "+long, "put c x", "get b1", "get b2", "list b", "list d", "delete b1", "list b", "what"),
				[]string{"none", "7", "four", long, "b1=four", "b2=" + long, "b2=" + long, `{"a":"b"}`}; !slices.Equal(got, want) {
				t.Errorf("got  %.60q\nwant %.60q", got, want)
			}
			does(0, "put n \x01\x00\x00\x00", "wall w", "wall x", "unset x")
			if got := does(0, "number n"); !slices.Equal(got, []string{"1"}) {
				t.Errorf("the number is %q", got)
			}
			if at, ok := s.Timer("ann", 1, "w"); !ok || at != 6 {
				t.Errorf("the timer is at %d, %v", at, ok)
			}
			if _, ok := s.Timer("ann", 1, "x"); ok {
				t.Error("the timer that was deleted is there")
			}
			if got := slices.Concat(does(stream.EventTimer, "e"), does(stream.ClockTimer, "w")); !slices.Equal(got, []string{"event e false", "wall w false"}) {
				t.Errorf("the timers gave %q", got)
			}
		})
	}
}
