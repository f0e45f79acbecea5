package wasm

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/stream"
)

const floodLine = 64 << 10

// flood is a guest that logs a line and prints it to standard output, over and
// over: in each call rounds times floodLine bytes by each way.
func flood(rounds int32) []byte {
	var printing uint32
	a := abitest.NewGuest(func(a *abitest.Asm) {
		a.Import("wasmill", "log", []byte{abitest.I32, abitest.I32, abitest.I32}, nil)
		four := []byte{abitest.I32, abitest.I32, abitest.I32, abitest.I32}
		printing = a.Import("wasi_snapshot_preview1", "fd_write", four, []byte{abitest.I32})
	})
	const text, list = 0x10000, 0x100
	a.Data(text, bytes.Repeat([]byte("\x1b[2J\a\xff"), floodLine/6+1)[:floodLine])
	a.Data(list, []byte{0, 0, 1, 0, 0, 0, 1, 0}) // one part: text, floodLine
	a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, []byte{abitest.I32},
		abitest.Const(rounds), abitest.Set(1), abitest.Loop(),
		abitest.Const(1), abitest.Const(text), abitest.Const(floodLine), abitest.Call(0),
		abitest.Const(1), abitest.Const(list), abitest.Const(1), abitest.Const(0x200), abitest.Call(printing), abitest.Op(abitest.Drop),
		abitest.Get(1), abitest.Const(-1), abitest.Op(abitest.Add), abitest.Set(1), abitest.Get(1), abitest.BrIf(0),
		abitest.Op(abitest.End), abitest.Const(8))
	return a.Bytes()
}

// TestAGigabyteOfLogIsAHundredLinesASecond is W4: in each of two seconds a call
// with half a gigabyte, half of it logged and half printed.
func TestAGigabyteOfLogIsAHundredLinesASecond(t *testing.T) {
	const rounds = 512 << 20 / floodLine / 2
	module := flood(rounds)
	p := mustLoad(t, newEngine(t), module)
	synctest.Test(t, func(t *testing.T) {
		var lines []string
		tr, err := p.Transform(t.Context(), Config{
			Vertex: "v", Grant: []abi.Capability{abi.CapabilityLog}, Instances: 1, Tags: stream.NewTagTable(),
			Events: stream.Events{GuestLog: func(_ stream.VertexID, _ stream.GuestLevel, text string) { lines = append(lines, text) }},
		})
		if err != nil {
			t.Fatal(err)
		}
		allocated := func() uint64 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return m.TotalAlloc
		}
		before := allocated()
		for range 2 {
			time.Sleep(2 * time.Second)
			out := stream.Output{Batch: (&stream.BatchPool{}).New()}
			if err := tr.Call(t.Context(), batchOf([]abitest.Record{{Value: "x"}}), &out); err != nil {
				t.Fatal(err)
			}
		}
		if grown := allocated() - before; grown > 8<<20 {
			t.Errorf("%d MiB allocated for what guests logged", grown>>20)
		}
		if err := tr.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
		limits := DefaultLimits()
		summary := fmt.Sprintf("%d lines more than 100 per second were dropped (limits.logLines)", rounds-limits.LogLines)
		cutOff := fmt.Sprintf("… (%d bytes left out, limits.logBytes)", floodLine-limits.LogBytes)
		if len(lines) != 2*(limits.LogLines+1) {
			t.Fatalf("%d lines", len(lines))
		}
		for i, line := range lines {
			if (i+1)%(limits.LogLines+1) == 0 {
				if line != summary {
					t.Errorf("line %d is %.80q", i, line)
				}
			} else if !strings.HasSuffix(line, cutOff) || len(line) != limits.LogBytes+len(cutOff) {
				t.Errorf("line %d has %d bytes and ends in %q", i, len(line), line[max(0, len(line)-80):])
			}
		}
	})
}

func TestALongLineIsCutBetweenCharacters(t *testing.T) {
	for _, tt := range []struct {
		line  string
		limit int
		want  string
	}{
		{"short", 5, "short"},
		{"longer", 5, "longe… (1 bytes left out, limits.logBytes)"},
		{"日本語", 4, "日… (6 bytes left out, limits.logBytes)"},
		{strings.Repeat("\x80", 9), 6, "\x80\x80… (7 bytes left out, limits.logBytes)"},
	} {
		if got := cut([]byte(tt.line), tt.limit); got != tt.want {
			t.Errorf("%q: got %q", tt.line, got)
		}
	}
}
