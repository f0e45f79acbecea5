package wasm

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/stream"
)

// panesOf returns a window [0, 100) for each key with all its values.
func panesOf(keys []string, values [][]string) *stream.Panes {
	p := &stream.Panes{Batch: (&stream.BatchPool{}).New(), Watermark: 7}
	p.Batch.Store([]byte("what is not needed"))
	for k, key := range keys {
		w := stream.Pane{Start: 0, End: 100, Key: p.Batch.Store([]byte(key)), First: uint32(len(p.Records)), Count: uint32(len(values[k]))}
		for _, v := range values[k] {
			p.Records = append(p.Records, stream.Record{Time: 1, Key: w.Key, Value: p.Batch.Store([]byte(v)), Source: 3})
		}
		p.Table = append(p.Table, w)
	}
	return p
}

func loaded(t testing.TB, path string) *Plugin {
	t.Helper()
	p, err := newEngine(t).Load(t.Context(), path, DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
	return p
}

func told(t *testing.T, tr *Transform, p *stream.Panes) (all []string) {
	t.Helper()
	out := stream.Output{Batch: (&stream.BatchPool{}).New()}
	p.Records = nil
	if err := tr.Result(t.Context(), p, &out); err != nil {
		t.Fatal(err)
	}
	for i, r := range out.Records {
		if r.Source != stream.NoSource {
			t.Errorf("result of source %d", r.Source)
		}
		all = append(all, fmt.Sprintf("%s=%s@%d", out.Key(i), out.Value(i), r.Time))
	}
	return all
}

// TestTheExamplesOfTheSDKsMean builds the example in the comment of each SDK's file for
// aggregates: how long the values of a window are on average.
func TestTheExamplesOfTheSDKsMean(t *testing.T) {
	for _, language := range []string{"c", "rust", "go", "zig", "assemblyscript"} {
		t.Run(language, func(t *testing.T) {
			path := documented(t, language, "aggregate", "encoding/binary", "errors", "strconv")
			checkGuest(t, path, "")
			tr := mustTransform(t, loaded(t, path), Config{Vertex: "v"})
			p := panesOf([]string{"a", "b"}, [][]string{{"1", "333"}, {"4444"}})
			out := stream.Output{Batch: (&stream.BatchPool{}).New()}
			if err := tr.Add(t.Context(), p, &out); err != nil || out.Len()+len(out.Failures) > 0 {
				t.Fatal(err, out.Failures)
			}
			more := panesOf([]string{"a", "b"}, [][]string{{"666666", ""}, {""}})
			if err := tr.Add(t.Context(), more, &out); err != nil || len(out.Failures) != 2 || out.Failures[0].Input != 1 || out.Failures[1].Input != 2 ||
				out.Failures[0].Reason != "the value is empty" {
				t.Fatal(err, out.Failures)
			}
			if got := told(t, tr, p); strings.Join(got, " ") != "a=2@99 b=4@99" {
				t.Errorf("told %q", got)
			}
			p.Table[1].Key, p.Table[1].Start = p.Table[0].Key, 50
			if err := tr.Merge(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			p.Table = p.Table[:1]
			p.Table[0].Start, p.Table[0].End = -1<<63, 1<<63-1
			if got := told(t, tr, p); strings.Join(got, " ") != "a=2@7" {
				t.Errorf("of both: %q", got)
			}
			if !tr.Merges() {
				t.Error("it does not merge")
			}
			if language == "go" {
				return // its accumulators are what the plugin makes of them
			}
			of := func(accumulator string) string {
				p.Accumulators = append(p.Accumulators[:0], accumulator...)
				p.Table[0].Accumulator = stream.Span{Len: uint32(len(accumulator))}
				return told(t, tr, p)[0]
			}
			count := "\x02" + strings.Repeat("\x00", 7)
			if got := of(count); got != "a=0@7" {
				t.Errorf("of an older version: %q", got)
			}
			if got := of(count + "\x09" + strings.Repeat("\x00", 7) + "more"); got != "a=4@7" {
				t.Errorf("of a newer version: %q", got)
			}
		})
	}
}

// TestAddingAllocatesNothingPerRecord adds to a thousand windows that are there.
func TestAddingAllocatesNothingPerRecord(t *testing.T) {
	tr := mustTransform(t, loaded(t, builtPlugin(t, "count-by")), Config{Vertex: "v"})
	keys, values := make([]string, 1000), make([][]string, 1000)
	for i := range keys {
		keys[i], values[i] = fmt.Sprint("key ", i), []string{"value"}
	}
	p, out := panesOf(keys, values), stream.Output{Batch: (&stream.BatchPool{}).New()}
	allocs := testing.AllocsPerRun(20, func() {
		p.Accumulators = p.Accumulators[:0]
		for k := range p.Table {
			p.Table[k].Accumulator = stream.Span{}
		}
		if err := tr.Add(t.Context(), p, &out); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 10 {
		t.Errorf("%v allocations for 1000 records", allocs)
	}
}

// liar is an aggregate whose functions answer the same output whatever they get.
func liar(result uint32, data map[uint32][]byte) []byte {
	a := abitest.NewGuestOf(abi.KindAggregate)
	for addr, content := range data {
		a.Data(addr, content)
	}
	for _, export := range []string{abi.ExportAdd, abi.ExportMerge, abi.ExportResult} {
		a.Func(export, []byte{abitest.I32}, []byte{abitest.I32}, nil, abitest.Const(int32(result)))
	}
	return a.Bytes()
}

func TestAggregatesThatLie(t *testing.T) {
	const add, merge, result = "add", "merge", "result"
	canned := func(entries ...abi.Out) []byte {
		answer := abitest.Answer(entries...)
		answer[0x1000] = []byte("some bytes")
		return liar(0x3fff0, answer)
	}
	own := abi.Ref{Addr: 0x1000, Len: 4}
	acc := func(window uint32) abi.Out {
		return abi.Out{Outcome: abi.OutcomeAccumulator, Input: window, Value: own}
	}
	wrong := abi.Out{Outcome: abi.OutcomeError, Input: 1, Value: own}
	tests := []struct {
		name string
		call string
		want stream.Code // empty: the call is fine
		mod  []byte
	}{
		{"accumulators", add, "", canned(acc(0), acc(1))},
		{"an error of a record", add, "", canned(acc(0), wrong)},
		{"a result", add, stream.GuestOutput, canned(abi.Out{Value: own})},
		{"an accumulator for a window that is not there", add, stream.GuestOutput, canned(acc(2))},
		{"an error of a record that is not there", add, stream.GuestOutput, canned(abi.Out{Outcome: abi.OutcomeError, Input: 3})},
		{"an accumulator outside memory", add, stream.GuestOutput, canned(abi.Out{Outcome: abi.OutcomeAccumulator, Value: abi.Ref{Addr: 1<<32 - 1, Len: 2}})},
		{"an accumulator that is too large", add, stream.GuestLimit, canned(abi.Out{Outcome: abi.OutcomeAccumulator, Value: abi.Ref{Addr: 0, Len: 1<<20 + 1}})},
		{"accumulators that are too many", add, stream.GuestLimit, canned(many(abi.Out{Outcome: abi.OutcomeAccumulator, Value: abi.Ref{Addr: 0, Len: 1 << 20}}, 20)...)},
		{"an outcome that is unknown", add, stream.GuestOutput, canned(abi.Out{Outcome: 3, Value: own})},
		{"a header at 0", add, stream.GuestOutput, liar(0, nil)},
		{"accumulators of a merge", merge, "", canned(acc(0))},
		{"an error of a merge", merge, stream.GuestOutput, canned(wrong)},
		{"results", result, "", canned(abi.Out{Input: 1, Value: own, Key: own}, acc(1), acc(1))},
		{"an error of a window", result, "", canned(wrong)},
		{"a result of a window that is not there", result, stream.GuestOutput, canned(abi.Out{Input: 2})},
		{"a result outside memory", result, stream.GuestOutput, canned(abi.Out{Value: abi.Ref{Addr: 1<<32 - 1, Len: 2}})},
		{"a result that is too large", result, stream.GuestLimit, canned(abi.Out{Value: abi.Ref{Addr: 0, Len: 1<<20 + 1}})},
	}
	for _, tt := range tests {
		t.Run(tt.call+" answers "+tt.name, func(t *testing.T) {
			tr := mustTransform(t, loaded(t, writeModule(t, tt.mod)), Config{Vertex: "v"})
			p, out := panesOf([]string{"a", "b"}, [][]string{{"1", "2"}, {"3"}}), stream.Output{Batch: (&stream.BatchPool{}).New()}
			var err error
			switch tt.call {
			case add:
				err = tr.Add(t.Context(), p, &out)
			case merge:
				p.Records = nil
				err = tr.Merge(t.Context(), p)
			case result:
				p.Records = nil
				err = tr.Result(t.Context(), p, &out)
			}
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || stream.CodeOf(err) != tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if strings.HasPrefix(tt.name, "an error of a") && tt.want == "" && (len(out.Failures) != 1 || out.Failures[0].Input != 1 || out.Failures[0].Reason != "some") {
				t.Errorf("failures %+v", out.Failures)
			}
		})
	}
}

func many(e abi.Out, n int) (all []abi.Out) {
	for range n {
		all = append(all, e)
	}
	return all
}

func TestWhatAnAggregateHasToExport(t *testing.T) {
	a := abitest.NewGuestOf(abi.KindAggregate)
	a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil, abitest.Const(0))
	_, err := newEngine(t).Load(t.Context(), writeModule(t, a.Bytes()), DefaultLimits())
	if stream.CodeOf(err) != stream.PluginExport || !strings.Contains(err.Error(), abi.ExportAdd) || !strings.Contains(err.Error(), abi.ExportResult) {
		t.Errorf("got %v", err)
	}
	a = abitest.NewGuest()
	if _, err := newEngine(t).Load(t.Context(), writeModule(t, a.Bytes()), DefaultLimits()); stream.CodeOf(err) != stream.PluginExport || !strings.Contains(err.Error(), abi.ExportProcess) {
		t.Errorf("got %v", err)
	}
	a = abitest.NewGuestOf(abi.KindAggregate)
	a.Func(abi.ExportAdd, nil, []byte{abitest.I32}, nil, abitest.Const(0))
	a.Func(abi.ExportResult, []byte{abitest.I32}, []byte{abitest.I32}, nil, abitest.Const(0))
	if _, err := newEngine(t).Load(t.Context(), writeModule(t, a.Bytes()), DefaultLimits()); stream.CodeOf(err) != stream.PluginExport || !strings.Contains(err.Error(), "() -> (i32)") {
		t.Errorf("got %v", err)
	}
}

// FuzzFoldDecoder gives the decoder answers of a lying aggregate.
func FuzzFoldDecoder(f *testing.F) {
	const size, frameData = 4096, 1024
	f.Add([]byte{}, uint32(8), uint16(1), false)
	f.Add(bytes.Repeat([]byte{7, 2}, 100), uint32(16), uint16(3), true)
	f.Add(binary.LittleEndian.AppendUint32(nil, frameData), uint32(2048), uint16(2), true)
	f.Fuzz(func(t *testing.T, choices []byte, addr uint32, entries uint16, adds bool) {
		edges := []uint32{0, 1, 2, 8, frameData, frameData + 1, frameData + 5, 2048, size - 1, size, size + 1, 1 << 31, 1<<32 - 1}
		next := func() uint32 {
			if len(choices) == 0 {
				return 0
			}
			c := choices[0]
			choices = choices[1:]
			if int(c) < len(edges) {
				return edges[c]
			}
			return uint32(c)
		}
		memory := make([]byte, size)
		p := panesOf([]string{"a", "b"}, [][]string{{"1", "2"}, {"3"}})
		if !adds {
			p.Records = nil
		}
		if addr %= 4000; addr%2 == 0 {
			addr &^= 7
		}
		binary.LittleEndian.PutUint32(memory[addr&^7:], uint32(entries))
		binary.LittleEndian.PutUint32(memory[addr&^7+4:], 2048)
		for k := 2048; k+abi.OutSize <= size && len(choices) > 0; k += abi.OutSize {
			e := abi.Out{
				Key: abi.Ref{Addr: next(), Len: next()}, Value: abi.Ref{Addr: next(), Len: next()}, Headers: abi.Ref{Addr: next(), Len: next()},
				Input: next() % 4, Outcome: next() % 4, Tag: abi.Ref{Addr: next(), Len: next()},
			}
			e.Put((*[abi.OutSize]byte)(memory[k:]))
		}
		l := layOut(p)
		d := decoder{limits: DefaultLimits(), tags: stream.NewTagTable("a"), memory: memory, data: frameData, low: l.low, size: l.high - l.low, in: p.Batch}
		out := stream.Output{Batch: (&stream.BatchPool{}).New()}
		before := p.Batch.Bytes()
		err := d.decodeFold(addr, l.size, p, &out)
		if p.Batch.Bytes() != before {
			t.Fatal("the batch has changed")
		}
		if err != nil {
			return
		}
		for _, w := range p.Table {
			_ = p.Accumulators[w.Accumulator.Off:][:w.Accumulator.Len]
		}
		if adds && out.Len() > 0 {
			t.Fatal("adding emitted something")
		}
		for i, r := range out.Records {
			if r.Tag > 2 || r.Source != stream.NoSource || !abi.ValidHeaders(out.Headers(i)) {
				t.Fatalf("record %+v", r)
			}
			out.Key(i)
			out.Value(i)
		}
		for _, x := range out.Failures {
			if x.Input < 0 || adds && x.Input > 2 || !adds && x.Input > 1 {
				t.Fatalf("failure of input %d", x.Input)
			}
		}
	})
}

// TestTheSuiteFindsAggregatesThatBreakRules has each rule broken by one guest.
func TestTheSuiteFindsAggregatesThatBreakRules(t *testing.T) {
	if _, err := exec.LookPath("clang"); err != nil {
		needGuests(t, "clang is not installed")
	}
	for fault, want := range []string{
		0:  "",
		1:  "adds records of a frame as it adds them one by one",
		2:  "adds a record and gives a result",
		3:  "leaves the input arena unchanged",
		4:  "keeps its memory bounded over 2,000 frames",
		5:  "adds frames of 2 to 10,000 records",
		6:  "adds empty values, keys and headers",
		7:  "finds the tables wherever they are",
		8:  "merges what it would have added",
		9:  "takes a window to which nothing was added",
		10: "answers the same frame the same way",
	} {
		out := filepath.Join(t.TempDir(), "offender.wasm")
		build := exec.CommandContext(t.Context(), "clang", "--target=wasm32", "-O1", "-mbulk-memory", "-nostdlib", "-Wl,--no-entry", "-Wl,--stack-first",
			fmt.Sprint("-DFAULT=", fault), "-o", out, filepath.Join("testdata", "offender.c"))
		if text, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		var found []string
		for _, f := range loaded(t, out).Check(t.Context(), nil) {
			if f.Err != nil {
				found = append(found, f.Check)
			}
		}
		if want == "" && len(found) > 0 || want != "" && !slices.Contains(found, want) {
			t.Errorf("fault %d: found %q, want %q", fault, found, want)
		}
	}
}

func TestASampleOfAnAggregate(t *testing.T) {
	cost, err := loaded(t, builtPlugin(t, "count-by")).Sample(t.Context(), Config{Vertex: "v"}, [][]byte{[]byte("a"), []byte("b")})
	if err != nil || cost.Records != 2 || cost.RecordsOut != 1 || cost.BytesOut != len(`{"count":2}`) {
		t.Errorf("%+v, %v", cost, err)
	}
}
