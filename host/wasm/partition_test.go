package wasm

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/stream"
)

// remembering builds a guest of testdata/remember, in go, rust or c, and returns its
// path.
func remembering(t testing.TB, language string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), language+Ext)
	var c *exec.Cmd
	switch language {
	case "go":
		c = exec.Command("go", "build", "-buildmode=c-shared", "-o", out, "./testdata/remember")
		c.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	case "rust":
		if !exists("/usr/bin/rustc") {
			needGuests(t, "rustc is not installed")
		}
		c = exec.Command("/usr/bin/rustc", "--edition", "2021", "--target", "wasm32-unknown-unknown", "-C", "opt-level=3", "-C", "panic=abort",
			"-C", "target-feature=+bulk-memory", "--crate-type", "cdylib", "-o", out, "testdata/remember/remember.rs")
	case "c":
		if !exists("/usr/bin/clang") {
			needGuests(t, "clang is not installed")
		}
		c = exec.Command("clang", "--target=wasm32", "-O2", "-mbulk-memory", "-nostdlib", "-fno-builtin", "-Wl,--no-entry", "-Wl,--stack-first", "-o", out, "testdata/remember/remember.c")
	}
	if text, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return out
}

func loadFile(t testing.TB, e *Engine, path string, limits Limits) *Plugin {
	t.Helper()
	p, err := e.Load(t.Context(), path, limits)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return p
}

func mustPartitions(t testing.TB, p *Plugin, c Config, n int) *Partitions {
	t.Helper()
	if c.Tags == nil {
		c.Tags = stream.NewTagTable()
	}
	if c.Vertex == "" {
		c.Vertex = "v"
	}
	parts, err := p.Partitions(t.Context(), c, n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := parts.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return parts
}

// say gives a partition words, one record each, and returns what it answers, and as
// "!reason" which record failed.
func say(t testing.TB, parts *Partitions, part int, words ...string) (answers []string, err error) {
	t.Helper()
	var rs []abitest.Record
	for _, w := range words {
		rs = append(rs, abitest.Record{Value: w})
	}
	in, out := batchOf(rs), stream.Output{Batch: (&stream.BatchPool{}).New()}
	if err := parts.Call(t.Context(), part, in, &out); err != nil {
		if got := recordsOf(in); !slices.Equal(got, rs) {
			t.Errorf("a call that failed changed its input: %v", got)
		}
		return nil, err
	}
	for _, r := range recordsOf(out.Batch) {
		answers = append(answers, r.Value)
	}
	for _, f := range out.Failures {
		answers = append(answers, fmt.Sprintf("!%d %s", f.Input, f.Reason))
	}
	return answers, nil
}

func mustSay(t testing.TB, parts *Partitions, part int, words ...string) []string {
	t.Helper()
	answers, err := say(t, parts, part, words...)
	if err != nil {
		t.Fatal(err)
	}
	return answers
}

// conversation is calls of random words, with some that are special.
func conversation(seed uint64, calls int, special ...string) [][]string {
	r := rand.New(rand.NewPCG(seed, 7))
	var all [][]string
	for range calls {
		var words []string
		for range 1 + r.IntN(20) {
			if len(special) > 0 && r.IntN(20) == 0 {
				words = append(words, special[r.IntN(len(special))])
			} else {
				words = append(words, fmt.Sprintf("word-%d", r.IntN(500)))
			}
		}
		all = append(all, words)
	}
	return all
}

var languages = []string{"go", "rust", "c"}

// TestARunningGuestMovesToFreshInstances moves a guest again and again, by whole
// snapshots and chains of changes, while it goes on with its work.
func TestARunningGuestMovesToFreshInstances(t *testing.T) {
	for _, language := range languages {
		t.Run(language, func(t *testing.T) {
			path := remembering(t, language)
			p := loadFile(t, newEngine(t), path, DefaultLimits())
			elsewhere := loadFile(t, newEngine(t), path, DefaultLimits()) // as after a restart
			c := Config{Vertex: "v"}
			if language == "go" {
				c.Params = []byte(`{"a":1}`)
			}
			stays, moves := mustPartitions(t, p, c, 1), mustPartitions(t, p, c, 1)
			var chain [][]byte
			last := uint64(0)
			whole, delta := 0, 0
			for k, words := range conversation(3, 240, "first", "outside", "hoard", "fail") {
				want, got := mustSay(t, stays, 0, words...), mustSay(t, moves, 0, words...)
				if !slices.Equal(got, want) {
					t.Fatalf("call %d, moved %d times:\ngot  %q\nwant %q", k, k/10, got, want)
				}
				if k%5 != 4 {
					continue
				}
				if k%60 == 4 {
					chain, last = nil, 0
				}
				snapshot, err := moves.Snapshot(t.Context(), 0, last, nil)
				if err != nil {
					t.Fatal(err)
				}
				if last == 0 {
					whole += len(snapshot)
				} else {
					delta += len(snapshot)
				}
				chain, last = append(chain, snapshot), moves.Version(0)
				if k%10 != 9 {
					continue // the guest that is snapshotted goes on too
				}
				if k%20 == 9 {
					p, elsewhere = elsewhere, p
					moves = mustPartitions(t, p, c, 1)
				}
				if err := moves.Restore(t.Context(), 0, chain...); err != nil {
					t.Fatal(err)
				}
				if moves.Version(0) != last {
					t.Fatalf("version %d after restoring %d", moves.Version(0), last)
				}
			}
			t.Logf("snapshots: 4 whole of %d KiB each, 44 of changes of %d KiB", whole/4>>10, delta/44>>10)
			if delta/44 > whole/4/2 {
				t.Error("changes take as much as everything")
			}
		})
	}
}

// TestACallThatFailsIsForgottenAndNothingElse lets traps fall between other calls.
func TestACallThatFailsIsForgottenAndNothingElse(t *testing.T) {
	for _, language := range languages {
		t.Run(language, func(t *testing.T) {
			limits := DefaultLimits()
			limits.Discards = 0
			p := loadFile(t, newEngine(t), remembering(t, language), limits)
			calm, troubled := mustPartitions(t, p, Config{}, 2), mustPartitions(t, p, Config{}, 2)
			for k, words := range conversation(5, 150, "first", "hoard", "fail") {
				if k%7 == 3 {
					if _, err := say(t, troubled, k%2, append(slices.Clone(words), "trap")...); stream.CodeOf(err) != stream.GuestTrap {
						t.Fatalf("got %v, want a trap", err)
					}
				}
				want, got := mustSay(t, calm, k%2, words...), mustSay(t, troubled, k%2, words...)
				if !slices.Equal(got, want) {
					t.Fatalf("call %d:\ngot  %q\nwant %q", k, got, want)
				}
			}
			if s := troubled.Stats(); s.Discards[stream.GuestTrap] != 21 || s.Refills != 21 || s.Instances != 2 {
				t.Errorf("stats %+v", s)
			}
		})
	}
}

// TestEveryWayToFailKeepsTheState has one guest for each.
func TestEveryWayToFailKeepsTheState(t *testing.T) {
	limits := DefaultLimits()
	limits.Discards, limits.RecordBytes, limits.Fuel = 0, 1000, 50_000_000
	for name, tt := range map[string]struct {
		value string
		code  stream.Code
	}{
		"a limit": {strings.Repeat("x", 2000), stream.GuestLimit},
		"a trap":  {"trap", stream.GuestTrap},
		"fuel":    {"hoard", stream.GuestFuel},
	} {
		t.Run(name, func(t *testing.T) {
			l := limits
			if tt.code == stream.GuestFuel {
				l.Fuel = 600_000 // less than filling a hoard takes
			}
			parts := mustPartitions(t, loadFile(t, newEngine(t), remembering(t, "c"), l), Config{}, 1)
			mustSay(t, parts, 0, "a", "b", "a")
			if _, err := say(t, parts, 0, "a", tt.value); stream.CodeOf(err) != tt.code {
				t.Fatalf("got %v, want %s", err, tt.code)
			}
			if got := mustSay(t, parts, 0, "a"); !slices.Equal(got, []string{"a 3/2/0"}) {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestTheJournalIsBounded(t *testing.T) {
	parts := mustPartitions(t, mustLoad(t, newEngine(t), abitest.Identity()), Config{}, 1)
	p := &parts.parts[0]
	words := make([]string, 1000)
	for k := range words {
		words[k] = strings.Repeat("x", 1000) // a megabyte a call
	}
	for n := range 40 {
		mustSay(t, parts, 0, words...)
		if p.journal.took = 0; len(p.journal.data) > JournalBytes+(2<<20) {
			t.Fatalf("after %d calls the journal has %d bytes", n, len(p.journal.data))
		}
	}
	if p.version-p.shadow.version > JournalBytes>>20+1 { // a call that takes long has one taken, too
		t.Errorf("the last shadow is of version %d, %d calls were made", p.shadow.version, p.version)
	}
	p.journal.took = max(replayTime, replayCosts*p.cost)
	if mustSay(t, parts, 0, "x"); p.shadow.version != p.version || len(p.journal.frames) != 0 {
		t.Error("a journal that takes long to replay is kept")
	}
}

// TestAGuestThatDoesNotRepeatItselfFailsTheVertex falsifies what it is to repeat.
func TestAGuestThatDoesNotRepeatItselfFailsTheVertex(t *testing.T) {
	limits := DefaultLimits()
	limits.Discards = 0
	parts := mustPartitions(t, loadFile(t, newEngine(t), remembering(t, "c"), limits), Config{}, 1)
	parts.parts[0].cost = time.Hour // so that the journal is kept, however long a call takes
	mustSay(t, parts, 0, "a")
	mustSay(t, parts, 0, "b")
	parts.parts[0].journal.frames[1].entries++
	for range 2 { // it does not come back by itself
		_, err := say(t, parts, 0, "trap")
		var f *stream.Fatal
		if !errors.As(err, &f) || stream.CodeOf(err) != stream.GuestReplay || !strings.Contains(err.Error(), "call 2 of 2: it answered 1 entries, and 2 the first time") {
			t.Fatalf("got %v", err)
		}
	}
}

// TestALineIsLoggedOnce counts the lines of a guest that is replayed.
func TestALineIsLoggedOnce(t *testing.T) {
	limits := DefaultLimits()
	limits.Discards = 0
	lines := 0
	c := Config{Grant: []abi.Capability{abi.CapabilityLog}, Events: stream.Events{GuestLog: func(stream.VertexID, stream.GuestLevel, string) { lines++ }}}
	parts := mustPartitions(t, mustLoadLimited(t, newEngine(t), logsThenTraps(), limits), c, 1)
	for range 3 {
		mustSay(t, parts, 0, "a")
	}
	if _, err := say(t, parts, 0, "a", "b"); err == nil {
		t.Fatal("no trap")
	}
	mustSay(t, parts, 0, "a")
	if lines != 5 { // of the call that failed too
		t.Errorf("%d lines", lines)
	}
}

// logsThenTraps is a guest that logs a line per frame and traps if it has two records.
func logsThenTraps() []byte {
	a := abitest.NewGuest(func(a *abitest.Asm) {
		a.Import("wasmill", "log", []byte{abitest.I32, abitest.I32, abitest.I32}, nil)
	})
	a.Data(8, make([]byte, 16))
	a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil,
		abitest.Const(2), abitest.Const(0x100), abitest.Const(10), abitest.Call(0),
		abitest.Get(0), []byte{0x28, 2, 0}, abitest.Const(2), []byte{0x46, 0x04, 0x40}, abitest.Op(abitest.Unreachable), []byte{0x0b}, // if count == 2
		abitest.Const(8))
	return a.Bytes()
}

func TestPluginsWhoseMemoryIsNotTheirStateAreRefused(t *testing.T) {
	global := func(typ byte, mutable byte, init ...byte) []byte {
		return slices.Concat([]byte{1, typ, mutable}, init, []byte{0x0b})
	}
	tests := []struct {
		name   string
		module []byte
		grant  []abi.Capability
		want   string
	}{
		{"table.set", withCode([]byte{0x41, 0, 0xd0, 0x70, 0x26, 0}), nil, "(table.set)"},
		{"table.grow", withCode([]byte{0xd0, 0x70, 0x41, 1, 0xfc, 15, 0, 0x1a}), nil, "(table.grow)"},
		{"table.fill", withCode([]byte{0x41, 0, 0xd0, 0x70, 0x41, 0, 0xfc, 17, 0}), nil, "(table.fill)"},
		{"table.copy", withCode([]byte{0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 14, 0, 0}), nil, "(table.copy)"},
		{"table.init", withCode([]byte{0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 12, 0, 0}), nil, "(table.init)"},
		{"a variable that is a function", withGlobals(global(0x70, 1, 0xd0, 0x70)), nil, "variable of type funcref"},
		{"a variable of the host's", withGlobals(global(0x6f, 1, 0xd0, 0x6f)), nil, "variable of type externref"},
		{"a vector", withGlobals(global(0x7b, 1, slices.Concat([]byte{0xfd, 12}, make([]byte, 16))...)), nil, "variable of type v128"},
		{"elem.drop, after which nothing is different", withCode([]byte{0xfc, 13, 0}), nil, ""},
		{"a constant function", withGlobals(global(0x70, 0, 0xd0, 0x70)), nil, ""},
		{"a clock", abitest.Identity(), []abi.Capability{abi.CapabilityClock}, "capability clock"},
		{"requests", abitest.Identity(), []abi.Capability{abi.CapabilityHTTP}, "capability http"},
		{"log", abitest.Identity(), []abi.Capability{abi.CapabilityLog}, ""},
	}
	e := newEngine(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			parts, err := mustLoad(t, e, tt.module).Partitions(t.Context(), Config{Vertex: "v", Grant: tt.grant, Tags: stream.NewTagTable()}, 1)
			if err == nil {
				defer parts.Close(t.Context())
			}
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var s *stream.Error
			if !errors.As(err, &s) || s.Code != stream.PluginState || !strings.Contains(s.Why, tt.want) || s.Fix == "" {
				t.Errorf("got %v, want …%s…", err, tt.want)
			}
		})
	}
	unmetered := DefaultLimits()
	unmetered.Unmetered = true
	if _, err := mustLoadLimited(t, e, abitest.Identity(), unmetered).Partitions(t.Context(), Config{Vertex: "v"}, 1); stream.CodeOf(err) != stream.PluginState {
		t.Errorf("without metering: %v", err)
	}
}

// withCode is a guest with a table and a function of these instructions, which
// nobody calls.
func withCode(code []byte) []byte {
	a := abitest.NewGuest()
	f := a.Func("", nil, nil, nil, code)
	a.Table(f)
	a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil, abitest.Const(8))
	return a.Bytes()
}

// withGlobals is a guest with a section of globals, which is before the exports.
func withGlobals(section []byte) []byte {
	a := abitest.NewGuest()
	a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil, abitest.Const(8))
	m := a.Bytes()
	at := 8
	for m[at] < 7 {
		at += 2 + int(m[at+1]) // sections this small have one byte of size
	}
	return slices.Concat(m[:at], []byte{6, byte(len(section))}, section, m[at:])
}
