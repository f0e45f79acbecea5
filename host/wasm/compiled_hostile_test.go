package wasm

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/stream"
)

// TestHostileGuestsOfRealCompilers ends guests in C, Rust and Go.
func TestHostileGuestsOfRealCompilers(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles guests")
	}
	if !exists("/usr/bin/rustc") || !exists("/usr/bin/clang") {
		needGuests(t, "clang and rustc are not installed")
	}
	tests := []struct {
		guest string
		code  stream.Code
		want  string
	}{
		{"recurse", stream.GuestStack, "limits.stack"},
		{"corrupt", "", ""}, // whatever it answers: an error or records, never a panic
		{"hoard", stream.GuestTrap, "hoard"},
		{"spin", stream.GuestDeadline, ""},
		{"leak", stream.GuestTrap, "out of memory"},
	}
	e := newEngine(t)
	for _, tt := range tests {
		t.Run(tt.guest, func(t *testing.T) {
			limits := DefaultLimits()
			limits.CallDeadline = 5 * time.Second
			if tt.code == stream.GuestDeadline {
				limits.CallDeadline = time.Second // which holds for the start, too
			}
			tr := mustTransform(t, mustLoadLimited(t, e, buildGuest(t, "hostile", tt.guest), limits), Config{Vertex: "v"})
			in, out := batchOf([]abitest.Record{{Value: "x"}, {Value: "y"}}), stream.Output{Batch: (&stream.BatchPool{}).New()}
			err := tr.Call(t.Context(), in, &out)
			if tt.code == "" {
				t.Logf("ended with %v", err)
				return
			}
			if stream.CodeOf(err) != tt.code || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s with …%s…", err, tt.code, tt.want)
			}
		})
	}
}

// TestManyDeadlinesLeaveNothingBehind kills a guest again and again: 10,000
// times with SOAK set.
func TestManyDeadlinesLeaveNothingBehind(t *testing.T) {
	kills := 300
	if os.Getenv("SOAK") != "" {
		kills = 10_000
	}
	limits := DefaultLimits()
	limits.CallDeadline, limits.Discards = time.Millisecond, 0
	tr := mustTransform(t, mustLoadLimited(t, newEngine(t), hostile()["an empty loop"], limits), Config{Vertex: "v"})
	in := batchOf([]abitest.Record{{Value: "x"}})
	kill := func() {
		out := stream.Output{Batch: (&stream.BatchPool{}).New()}
		if err := tr.Call(context.Background(), in, &out); stream.CodeOf(err) != stream.GuestDeadline {
			t.Fatal(err)
		}
	}
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	for range 50 {
		kill()
	}
	mapped := func() (pages int) { // address space in use; 0 where there is no /proc
		if text, err := os.ReadFile("/proc/self/statm"); err == nil {
			_, err = fmt.Sscan(string(text), &pages)
			if err != nil {
				t.Fatal(err)
			}
		}
		return pages
	}
	before, goroutines, pages := heap(), runtime.NumGoroutine(), mapped()
	for range kills {
		kill()
	}
	after := heap()
	t.Logf("%d kills: heap %d → %d bytes, %d → %d goroutines", kills, before, after, goroutines, runtime.NumGoroutine())
	if grown := (mapped() - pages) * os.Getpagesize(); grown > kills<<20 { // each instance reserves 64 MiB
		t.Errorf("the address space grew by %d MiB", grown>>20)
	}
	if after > before+8<<20 || runtime.NumGoroutine() > goroutines+2 {
		t.Errorf("heap %d → %d bytes, %d → %d goroutines", before, after, goroutines, runtime.NumGoroutine())
	}
}
