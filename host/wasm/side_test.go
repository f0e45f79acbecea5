package wasm

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/stream"
)

// sidedGuest answers with what it finds of the side input "name": version, length as it
// reads it, 48 bytes of room, and after it logged a line all that again.
func sidedGuest(room int32) []byte {
	const name, header, entries, found = 0x1000, 0x2000, 0x2010, 0x3000
	a := abitest.NewGuest(abitest.ImportSides, func(a *abitest.Asm) {
		a.Import(abi.ModuleWasmill, abi.ImportLog, []byte{abitest.I32, abitest.I32, abitest.I32}, nil)
	})
	a.Data(name, []byte("name"))
	var h [abi.OutHeaderSize]byte
	binary.LittleEndian.PutUint32(h[:], 1)
	binary.LittleEndian.PutUint32(h[4:], entries)
	a.Data(header, h[:])
	var e [abi.OutSize]byte
	(&abi.Out{Value: abi.Ref{Addr: found, Len: 128}}).Put(&e)
	a.Data(entries, e[:])
	named := slices.Concat(abitest.Const(name), abitest.Const(4))
	look := func(at int32) []byte {
		return slices.Concat(
			abitest.Const(at), named, abitest.Call(0), abitest.Store64(0),
			abitest.Const(at), named, abitest.Const(at+16), abitest.Const(room), abitest.Call(1), abitest.Store(8))
	}
	a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil,
		look(found), abitest.Const(1), named, abitest.Call(2), look(found+64), abitest.Const(header))
	return a.Bytes()
}

// found is what a sidedGuest found.
type found struct {
	version int64
	length  int32
	value   string // as it stands in its room
}

// lookUp calls a sidedGuest, and returns what it found before and after it logged.
func lookUp(t *testing.T, tr *Transform) (before, after found) {
	t.Helper()
	out := stream.Output{Batch: (&stream.BatchPool{}).New()}
	if err := tr.Call(t.Context(), batchOf([]abitest.Record{{Value: "x"}}), &out); err != nil {
		t.Fatal(err)
	}
	of := func(b []byte) found {
		return found{int64(binary.LittleEndian.Uint64(b)), int32(binary.LittleEndian.Uint32(b[8:])), strings.TrimRight(string(b[16:64]), "\x00")}
	}
	return of(out.Value(0)), of(out.Value(0)[64:])
}

func TestASideInputHasAVersionAndAValue(t *testing.T) {
	p := mustLoad(t, newEngine(t), sidedGuest(48))
	if !p.ReadsSides() {
		t.Error("the plugin does not look like one that reads side inputs")
	}
	if mustLoad(t, p.engine, abitest.Identity()).ReadsSides() {
		t.Error("a plugin that imports nothing looks like one that reads side inputs")
	}
	tr := mustTransform(t, p, Config{Vertex: "v", Grant: []abi.Capability{abi.CapabilityLog}})
	want := func(version int64, length int32, value string) {
		t.Helper()
		if before, _ := lookUp(t, tr); before != (found{version, length, value}) {
			t.Errorf("found %+v, want version %d and %q", before, version, value)
		}
	}
	want(-1, -1, "")
	tr.SetSide("other", []byte("other"))
	want(-1, -1, "")
	tr.SetSide("name", []byte("one"))
	want(1, 3, "one")
	tr.SetSide("name", []byte("one"))
	want(1, 3, "one")
	tr.SetSide("name", []byte("two!"))
	want(2, 4, "two!")
	tr.SetSide("other", []byte("changed"))
	want(2, 4, "two!")
	tr.SetSide("name", nil)
	want(3, 0, "two!") // its memory is as it left it
	i, err := tr.pool.borrow(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if i.pinned != nil {
		t.Error("an instance has side inputs between calls")
	}
	tr.pool.put(i)
}

func TestAValueLargerThanTheRoomIsNotWritten(t *testing.T) {
	tr := mustTransform(t, mustLoad(t, newEngine(t), sidedGuest(4)), Config{Vertex: "v", Grant: []abi.Capability{abi.CapabilityLog}})
	tr.SetSide("name", []byte("12345"))
	if got, _ := lookUp(t, tr); got != (found{1, 5, ""}) {
		t.Errorf("found %+v", got)
	}
	tr.SetSide("name", []byte("1234"))
	if got, _ := lookUp(t, tr); got != (found{2, 4, "1234"}) {
		t.Errorf("found %+v", got)
	}
}

// TestDuringACallASideInputStays replaces it while the guest logs.
func TestDuringACallASideInputStays(t *testing.T) {
	var tr *Transform
	n := 0
	tr = mustTransform(t, mustLoad(t, newEngine(t), sidedGuest(48)), Config{
		Vertex: "v", Grant: []abi.Capability{abi.CapabilityLog},
		Events: stream.Events{GuestLog: func(stream.VertexID, stream.GuestLevel, string) {
			n++
			tr.SetSide("name", fmt.Append(nil, "value ", n))
		}},
	})
	tr.SetSide("name", []byte("value 0"))
	for k := range 3 {
		want := found{int64(k + 1), 7, fmt.Sprint("value ", k)}
		if before, after := lookUp(t, tr); before != want || after != want {
			t.Errorf("found %+v, and then %+v, want %+v", before, after, want)
		}
	}
}

// TestSideInputsAreReplacedWhileInstancesRead is for the race detector, too.
func TestSideInputsAreReplacedWhileInstancesRead(t *testing.T) {
	tr := mustTransform(t, mustLoad(t, newEngine(t), sidedGuest(48)), Config{Vertex: "v", Instances: 3, Grant: []abi.Capability{abi.CapabilityLog}})
	tr.SetSide("name", []byte("v 1"))
	var all sync.WaitGroup
	stop := make(chan struct{})
	for _, name := range []string{"name", "other"} {
		all.Go(func() {
			for n := 2; ; n++ {
				select {
				case <-stop:
					return
				default:
					tr.SetSide(name, fmt.Append(nil, "v ", n))
				}
			}
		})
	}
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			last := int64(0)
			for range 200 {
				before, after := lookUp(t, tr)
				if before.version < last || before.value[:len(fmt.Sprint("v ", before.version))] != fmt.Sprint("v ", before.version) || before != after {
					t.Errorf("found %+v, and then %+v, after version %d", before, after, last)
				}
				last = before.version
			}
		})
	}
	readers.Wait()
	close(stop)
	all.Wait()
}

func TestReadingASideInputAllocatesNothing(t *testing.T) {
	tr := mustTransform(t, mustLoad(t, newEngine(t), sidedGuest(48)), Config{Vertex: "v", Grant: []abi.Capability{abi.CapabilityLog}})
	in, out := batchOf([]abitest.Record{{Value: "x"}}), stream.Output{Batch: (&stream.BatchPool{}).New()}
	allocs := func() float64 {
		return testing.AllocsPerRun(100, func() {
			out.Reset()
			if err := tr.Call(t.Context(), in, &out); err != nil {
				t.Fatal(err)
			}
		})
	}
	without := allocs()
	tr.SetSide("other", []byte("value"))
	tr.SetSide("name", []byte("value"))
	if with := allocs(); with > without {
		t.Errorf("%v allocations in a call with side inputs, %v in one without", with, without)
	}
}

// TestSideInputsAreThoseOfACallWithAFrame asks for one in wasmill_configure.
func TestSideInputsAreThoseOfACallWithAFrame(t *testing.T) {
	a := abitest.NewGuest(abitest.ImportSides)
	a.Data(0x1000, []byte("name"))
	a.Data(0x2000, make([]byte, abi.OutHeaderSize))
	a.Func(abi.ExportConfigure, []byte{abitest.I32, abitest.I32}, []byte{abitest.I64}, nil,
		abitest.Const(0x1000), abitest.Const(4), abitest.Call(0), abitest.Const64(-1), abitest.Op(0x52), abitest.If(), abitest.Op(abitest.Unreachable), abitest.Op(abitest.End),
		abitest.Const64(0))
	a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil, abitest.Op(abitest.Unreachable))
	tr := mustTransform(t, mustLoad(t, newEngine(t), a.Bytes()), Config{Vertex: "v"})
	tr.SetSide("name", []byte("value"))
	out := stream.Output{Batch: (&stream.BatchPool{}).New()}
	if err := tr.Call(t.Context(), batchOf([]abitest.Record{{Value: "x"}}), &out); stream.CodeOf(err) != stream.GuestTrap {
		t.Errorf("got %v", err)
	}
	i, err := tr.start(t.Context()) // another instance, now that there is a value
	if err != nil {
		t.Fatal(err)
	}
	if err := i.close(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestAnAggregateReadsSideInputs has one answer with the version as its accumulator.
func TestAnAggregateReadsSideInputs(t *testing.T) {
	const header, entries, version = 0x2000, 0x2010, 0x3000
	a := abitest.NewGuestOf(abi.KindAggregate, abitest.ImportSides)
	a.Data(0x1000, []byte("name"))
	var h [abi.OutHeaderSize]byte
	binary.LittleEndian.PutUint32(h[:], 1)
	binary.LittleEndian.PutUint32(h[4:], entries)
	a.Data(header, h[:])
	var e [abi.OutSize]byte
	(&abi.Out{Value: abi.Ref{Addr: version, Len: 8}, Outcome: abi.OutcomeAccumulator}).Put(&e)
	a.Data(entries, e[:])
	for _, export := range []string{abi.ExportAdd, abi.ExportResult} {
		a.Func(export, []byte{abitest.I32}, []byte{abitest.I32}, nil,
			abitest.Const(version), abitest.Const(0x1000), abitest.Const(4), abitest.Call(0), abitest.Store64(0), abitest.Const(header))
	}
	tr := mustTransform(t, mustLoad(t, newEngine(t), a.Bytes()), Config{Vertex: "v"})
	for k := range 3 {
		tr.SetSide("name", fmt.Append(nil, k))
		in := batchOf([]abitest.Record{{Value: "x"}})
		p := stream.Panes{Batch: in, Records: in.Records, Watermark: stream.NoWatermark, Table: []stream.Pane{{End: 10, Count: 1}}}
		out := stream.Output{Batch: (&stream.BatchPool{}).New()}
		if err := tr.Add(t.Context(), &p, &out); err != nil {
			t.Fatal(err)
		}
		acc := p.Table[0].Accumulator
		if got := binary.LittleEndian.Uint64(p.Accumulators[acc.Off:][:acc.Len]); got != uint64(k+1) {
			t.Errorf("the version is %d, want %d", got, k+1)
		}
	}
}
