package wasm

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/stream"
)

// TestGuestsInZigAndAssemblyScriptDoAllThatTheSDKIsFor has guests log, ask for the time and
// for chance, tag, fail, emit twice or not, read headers and parameters, and panic.
func TestGuestsInZigAndAssemblyScriptDoAllThatTheSDKIsFor(t *testing.T) {
	for _, name := range []string{"zigtour", "astour"} {
		t.Run(name, func(t *testing.T) {
			grant := []abi.Capability{abi.CapabilityLog, abi.CapabilityClock, abi.CapabilityRandom}
			p := mustLoad(t, newEngine(t), buildGuest(t, "tour", name))
			staysFlat(t, mustTransform(t, p, Config{Vertex: "v", Params: []byte(`{"prefix":"a prefix "}`), Grant: grant}))
			for _, f := range p.Check(t.Context(), nil) {
				if f.Err != nil {
					t.Errorf("%s: %v", f.Check, f.Err)
				}
			}
			if _, err := p.Transform(t.Context(), Config{Vertex: "v", Params: []byte(`{"prefix":7}`), Instances: 1, Grant: grant}); stream.CodeOf(err) != stream.PluginParams || !strings.Contains(err.Error(), "prefix is wrong: ") {
				t.Errorf("params of the wrong type: %v", err)
			}
			var logged []string
			c := Config{Vertex: "v", Params: []byte(`{"prefix":"\u00fcber "}`), Tags: stream.NewTagTable("odd"), Grant: grant}
			c.Events.GuestLog = func(_ stream.VertexID, level stream.GuestLevel, text string) {
				logged = append(logged, fmt.Sprint(level, " ", text))
			}
			tr := mustTransform(t, p, c)
			out := stream.Output{Batch: (&stream.BatchPool{}).New()}
			in := batchOf([]abitest.Record{
				{Key: "ann", Value: "log"}, {Key: "bob", Value: "fail"}, {Value: "err"}, {Value: "tag"}, {Time: 1, Value: "now"}, {Value: "twice"}, {Value: "drop"}, {Value: "süß"},
				{Value: "headers", Headers: string(abi.AppendHeader(abi.AppendHeader(nil, "y", []byte("no")), "x", []byte("yes")))}, {Value: "random"}, {Value: "random"},
			})
			if err := tr.Call(t.Context(), in, &out); err != nil {
				t.Fatal(err)
			}
			rs := recordsOf(out.Batch)
			var values []string
			for _, r := range rs {
				values = append(values, r.Value)
			}
			if want := []string{"tag", "now", "twice", "twice", "über süß", "yes"}; len(values) != 8 || !slices.Equal(values[:6], want) || len(values[6]) != 16 || values[6] == values[7] {
				t.Fatalf("got %q", values)
			}
			if out.Records[0].Tag != 1 || out.Records[1].Tag != stream.Untagged || rs[1].Time < 1_700_000_000e9 {
				t.Errorf("tags %d and %d, time %d", out.Records[0].Tag, out.Records[1].Tag, rs[1].Time)
			}
			if f := out.Failures; len(f) != 2 || f[0].Input != 1 || f[0].Reason != "bob as you like" || f[1].Input != 2 || f[1].Reason != "AsYouLike" {
				t.Errorf("failures %+v", f)
			}
			if !slices.Equal(logged, []string{fmt.Sprint(stream.GuestWarn, " the key is ann")}) {
				t.Errorf("logged %q", logged)
			}
			err := tr.Call(t.Context(), batchOf([]abitest.Record{{Value: "panic"}}), &out)
			if stream.CodeOf(err) != stream.GuestTrap || !strings.Contains(err.Error(), "it printed: as you like") {
				t.Errorf("got %v, want the guest's own words", err)
			}
		})
	}
}

// staysFlat gives a guest two million records for which it makes strings, in frames of
// different sizes, and looks at its memory.
func staysFlat(t *testing.T, tr *Transform) {
	t.Helper()
	frames := make([]*stream.Batch, 10)
	for i := range frames {
		rs := make([]abitest.Record, 100*(i+1))
		for k := range rs {
			rs[k].Value = fmt.Sprint(k*k, strings.Repeat(" value", k%20))
		}
		frames[i] = batchOf(rs)
	}
	out := stream.Output{Batch: (&stream.BatchPool{}).New()}
	var settled uint32
	for round, records := 0, 0; records < 2_000_000; round++ {
		for _, in := range frames {
			out.Reset()
			if err := tr.Call(t.Context(), in, &out); err != nil || out.Len() != in.Len() {
				t.Fatal(err, out.Len(), in.Len())
			}
			records += in.Len()
		}
		if round == 9 {
			settled = memoryOf(t, tr)
		}
	}
	if now := memoryOf(t, tr); now > settled || now > 4<<20 {
		t.Errorf("memory went from %d to %d bytes", settled, now)
	}
}

// memoryOf returns the bytes of the one instance of a transform.
func memoryOf(t *testing.T, tr *Transform) uint32 {
	t.Helper()
	i, err := tr.pool.borrow(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tr.pool.put(i)
	return i.memory.Size()
}
