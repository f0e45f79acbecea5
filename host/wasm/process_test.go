package wasm

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/stream"
)

// processGuest is a guest of a kind with the functions of abitest.ImportState, whose
// exports others add.
func processGuest(kind abi.Kind, add func(a *abitest.Asm)) []byte {
	a := abitest.NewGuestOf(kind, abitest.ImportState)
	a.Data(0x1000, []byte("name"))
	a.Data(0x2000, make([]byte, abi.OutHeaderSize))
	add(a)
	return a.Bytes()
}

func processBody(body ...[]byte) func(a *abitest.Asm) {
	return func(a *abitest.Asm) {
		a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil, slices.Concat(body...), abitest.Const(0x2000))
	}
}

// name and put are instructions: the parameters record 0 and its name, and state_put.
func nameOf(record int32) []byte {
	return slices.Concat(abitest.Const(record), abitest.Const(0x1000), abitest.Const(4))
}

func putOf(record int32) []byte {
	return slices.Concat(nameOf(record), abitest.Const(0x1000), abitest.Const(4), abitest.Const64(7), abitest.Call(1))
}

// stubborn is a session that refuses all it can.
type stubborn struct {
	*abitest.State
	err error
}

func (s stubborn) Put(int, []byte, []byte, int64) error          { return s.err }
func (s stubborn) Delete(int, []byte) error                      { return s.err }
func (s stubborn) SetTimer(int, int, []byte, int64) error        { return s.err }
func (s stubborn) DeleteTimer(record, clock int, _ []byte) error { return s.err }

func TestWhatASessionRefusesEndsTheCall(t *testing.T) {
	e := newEngine(t)
	for name, body := range map[string][]byte{
		"put":          putOf(0),
		"delete":       slices.Concat(nameOf(0), abitest.Call(2)),
		"set timer":    slices.Concat(abitest.Const(0), abitest.Const(1), abitest.Const(0x1000), abitest.Const(4), abitest.Const64(7), abitest.Call(4)),
		"delete timer": slices.Concat(abitest.Const(0), abitest.Const(1), abitest.Const(0x1000), abitest.Const(4), abitest.Call(5)),
	} {
		t.Run(name, func(t *testing.T) {
			tr := mustTransform(t, mustLoad(t, e, processGuest(abi.KindProcess, processBody(body))), Config{Vertex: "v"})
			s := stubborn{abitest.NewState(), &stream.Error{Code: stream.StateFull, Where: "v", Why: "full"}}
			s.Begin([]abitest.Record{{}})
			out := stream.Output{Batch: (&stream.BatchPool{}).New()}
			if err := tr.Process(t.Context(), s, batchOf([]abitest.Record{{Value: "x"}}), &out); err != s.err {
				t.Errorf("got %v, want the session's own error", err)
			}
			s.err = nil
			if err := tr.Process(t.Context(), s, batchOf([]abitest.Record{{Value: "x"}}), &out); err != nil {
				t.Errorf("the next call: %v", err)
			}
		})
	}
}

func TestStateIsThatOfACall(t *testing.T) {
	e := newEngine(t)
	const why = "there is no state here"
	none := processBody()
	t.Run("in _initialize", func(t *testing.T) {
		_, err := load(t, e, processGuest(abi.KindProcess, func(a *abitest.Asm) {
			none(a)
			a.Func(abi.ExportInitialize, nil, nil, nil, putOf(0))
		}))
		if stream.CodeOf(err) != stream.PluginStart || !strings.Contains(err.Error(), why) {
			t.Errorf("got %v", err)
		}
	})
	for export, result := range map[string][]byte{abi.ExportConfigure: abitest.Const64(0), abi.ExportInput: abitest.Const(0x3000)} {
		t.Run("in "+export, func(t *testing.T) {
			p := mustLoad(t, e, misplaced(export, slices.Concat(putOf(0), result)))
			tr, err := p.Transform(t.Context(), Config{Vertex: "v", Instances: 1, Tags: stream.NewTagTable()})
			if err == nil {
				t.Fatal(errors.Join(errors.New("it was accepted"), tr.Close(t.Context())))
			}
			if !strings.Contains(err.Error(), why) {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("in a call without state", func(t *testing.T) {
		tr := mustTransform(t, mustLoad(t, e, processGuest(abi.KindProcess, processBody(putOf(0)))), Config{Vertex: "v"})
		out := stream.Output{Batch: (&stream.BatchPool{}).New()}
		err := tr.Call(t.Context(), batchOf([]abitest.Record{{Value: "x"}}), &out)
		if stream.CodeOf(err) != stream.GuestTrap || !strings.Contains(err.Error(), why) {
			t.Errorf("got %v", err)
		}
	})
}

// misplaced is a guest one of whose exports has a body of its own.
func misplaced(export string, body []byte) []byte {
	a := &abitest.Asm{}
	abitest.ImportState(a)
	a.Memory(4)
	const description = `{"name":"x","kind":"process"}`
	a.Data(64, []byte(description))
	i32 := []byte{abitest.I32}
	for _, f := range []struct {
		name                  string
		params, results, body []byte
	}{
		{abi.ExportMarker, nil, nil, nil},
		{abi.ExportDescribe, nil, []byte{abitest.I64}, abitest.Const64(64<<32 | int64(len(description)))},
		{abi.ExportInput, i32, i32, abitest.Const(0x10000)},
		{abi.ExportConfigure, []byte{abitest.I32, abitest.I32}, []byte{abitest.I64}, abitest.Const64(0)},
		{abi.ExportProcess, i32, i32, abitest.Const(8)},
	} {
		if f.name == export {
			f.body = body
		}
		a.Func(f.name, f.params, f.results, nil, f.body)
	}
	return a.Bytes()
}

func TestOnlyAProcessImportsState(t *testing.T) {
	_, err := load(t, newEngine(t), processGuest(abi.KindMap, processBody()))
	if stream.CodeOf(err) != stream.PluginImport {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{"wasmill.state_get, but is of kind map", "wasmill.timer_delete", `describe it with "kind": "process"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %q", err, want)
		}
	}
}

// TestARecordPastTheFrameTraps has a session that would take it.
func TestARecordPastTheFrameTraps(t *testing.T) {
	tr := mustTransform(t, mustLoad(t, newEngine(t), processGuest(abi.KindProcess, processBody(putOf(2)))), Config{Vertex: "v"})
	out := stream.Output{Batch: (&stream.BatchPool{}).New()}
	s := &memo{}
	err := tr.Process(t.Context(), s, batchOf(make([]abitest.Record, 2)), &out)
	if stream.CodeOf(err) != stream.GuestTrap || !strings.Contains(err.Error(), "record 2 of a frame of 2 records") || s.value != nil {
		t.Errorf("got %v", err)
	}
	if err := tr.Process(t.Context(), s, batchOf(make([]abitest.Record, 3)), &out); err != nil {
		t.Error(err)
	}
}

func TestCallsForStateCount(t *testing.T) {
	limits := DefaultLimits()
	limits.HostCalls = 3
	e := newEngine(t)
	p, err := e.Load(t.Context(), writeModule(t, processGuest(abi.KindProcess, processBody(putOf(0), putOf(0), putOf(0), putOf(0)))), limits)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close(t.Context())
	tr := mustTransform(t, p, Config{Vertex: "v"})
	s := abitest.NewState()
	s.Begin([]abitest.Record{{}})
	out := stream.Output{Batch: (&stream.BatchPool{}).New()}
	err = tr.Process(t.Context(), s, batchOf([]abitest.Record{{Value: "x"}}), &out)
	if stream.CodeOf(err) != stream.GuestTrap || !strings.Contains(err.Error(), "more than 3 calls") {
		t.Errorf("got %v", err)
	}
}

// TestTimersAreEntriesOfTheirKind has an identity that shows the kind and the port
// of a record as its time.
func TestTimersAreEntriesOfTheirKind(t *testing.T) {
	a := abitest.NewGuestOf(abi.KindProcess)
	a.Data(0x3fff0, []byte{1, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0}) // one entry at 0x40000
	record := func(offset uint32) []byte {
		return slices.Concat(abitest.Get(0), abitest.Load(4), abitest.Load(offset))
	}
	a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil,
		abitest.Const(0x40000), record(36), abitest.Const(100), abitest.Op(0x6c), record(32), abitest.Op(abitest.Add), abitest.Store(0),
		abitest.Const(0x3fff0))
	tr := mustTransform(t, mustLoad(t, newEngine(t), a.Bytes()), Config{Vertex: "v"})
	for port, want := range map[uint16]int64{0: 0, 7: 7, stream.MaxPort: stream.MaxPort, stream.EventTimer: 100, stream.ClockTimer: 200} {
		in, out := batchOf([]abitest.Record{{Key: "k"}}), stream.Output{Batch: (&stream.BatchPool{}).New()}
		in.Records[0].Port, in.Records[0].Source = port, stream.NoSource
		if err := tr.Process(t.Context(), nil, in, &out); err != nil {
			t.Fatal(err)
		}
		if r := out.Records[0]; r.Time != want || r.Source != stream.NoSource {
			t.Errorf("port %d: kind and port %d of source %d", port, r.Time, r.Source)
		}
	}
}

// TestTheSuiteFindsGuestsThatRememberByThemselves runs guests of kind process that
// each break a rule.
func TestTheSuiteFindsGuestsThatRememberByThemselves(t *testing.T) {
	e := newEngine(t)
	for check, module := range abitest.ForgetfulOffenders() {
		t.Run(check, func(t *testing.T) {
			found := false
			for _, f := range mustLoad(t, e, module).Check(t.Context(), nil) {
				found = found || f.Check == check && f.Err != nil
			}
			if !found {
				t.Error("the suite did not find it")
			}
		})
	}
	for _, f := range mustLoad(t, e, abitest.Counter()).Check(t.Context(), nil) {
		if f.Err != nil {
			t.Errorf("a guest without fault: %s: %v", f.Check, f.Err)
		}
	}
}

// memo is a session of one value, which costs nothing.
type memo struct{ value []byte }

func (m *memo) Get(int, []byte) ([]byte, bool) { return m.value, true }
func (m *memo) Put(_ int, _, value []byte, _ int64) error {
	m.value = append(m.value[:0], value...)
	return nil
}
func (m *memo) Delete(int, []byte) error                                  { return nil }
func (m *memo) SetTimer(int, int, []byte, int64) error                    { return nil }
func (m *memo) DeleteTimer(int, int, []byte) error                        { return nil }
func (m *memo) List(_ int, p []byte, visit func(name, value []byte) bool) { visit(p, m.value) }

// everything calls each function for each record, once.
func everything() []byte {
	to := slices.Concat(abitest.Const(0x3000), abitest.Const(64))
	timer := slices.Concat(abitest.Const(0), abitest.Const(1), abitest.Const(0x1000), abitest.Const(4))
	return processGuest(abi.KindProcess, func(a *abitest.Asm) {
		a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, []byte{abitest.I32},
			abitest.Loop(),
			putOf(0), nameOf(0), to, abitest.Call(0), abitest.Op(abitest.Drop), nameOf(0), abitest.Call(2),
			nameOf(0), to, abitest.Call(3), abitest.Op(abitest.Drop), timer, abitest.Const64(7), abitest.Call(4), timer, abitest.Call(5),
			abitest.Get(1), abitest.Const(1), abitest.Op(abitest.Add), abitest.Set(1), abitest.Get(1), abitest.Get(0), abitest.Load(0), abitest.Op(abitest.LessU), abitest.BrIf(0),
			abitest.Op(abitest.End), abitest.Const(0x2000))
	})
}

func processed(t testing.TB, n int) func() {
	tr := mustTransform(t, mustLoad(t, newEngine(t), everything()), Config{Vertex: "v"})
	in, out, s := batchOf(make([]abitest.Record, n)), stream.Output{Batch: (&stream.BatchPool{}).New()}, &memo{}
	return func() {
		if err := tr.Process(t.Context(), s, in, &out); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCallsForStateAllocateNothing compares calls with many and with few of them.
func TestCallsForStateAllocateNothing(t *testing.T) {
	few, many := testing.AllocsPerRun(50, processed(t, 1)), testing.AllocsPerRun(50, processed(t, 1000))
	if many > few {
		t.Errorf("%v allocations for 6 calls of the host, %v for 6000", few, many)
	}
}

func BenchmarkCallsForState(b *testing.B) {
	call := processed(b, 1024)
	b.ReportAllocs()
	for b.Loop() {
		call()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1024/6, "ns/hostcall")
}
