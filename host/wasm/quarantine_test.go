//go:build unix

package wasm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/stream"
)

// deaths are the ways to end a process while a guest is in a call.
var deaths = map[string]func(){
	"a panic": func() {
		go panic("the host's own fault")
		select {}
	},
	"a fatal error": func() {
		m := map[int]int{}
		for range 8 {
			go func() {
				for {
					m[1]++
				}
			}()
		}
		select {}
	},
	"SIGKILL": func() { kill(syscall.SIGKILL) },
	"SIGQUIT": func() { kill(syscall.SIGQUIT) },
	"exit":    func() { os.Exit(3) },
}

func kill(s syscall.Signal) {
	if err := syscall.Kill(os.Getpid(), s); err != nil {
		panic(err)
	}
	select {}
}

// TestDieInACall is no test but a process for others: it is watched, and dies in
// the way that TEST_DEATH names, while the guests in TEST_GUESTS are in calls.
func TestDieInACall(t *testing.T) {
	die, ok := deaths[os.Getenv("TEST_DEATH")]
	if !ok {
		t.Skip("run by other tests")
	}
	e, err := NewEngine(t.Context(), os.Getenv("TEST_CACHE"), CompileLimits{})
	if err != nil {
		t.Fatal(err)
	}
	most, _ := strconv.Atoi(os.Getenv("TEST_DEATHS"))
	if err := e.Watch(most); err != nil {
		t.Fatal(err)
	}
	guests := filepath.SplitList(os.Getenv("TEST_GUESTS"))
	inside := make(chan struct{}, len(guests))
	events := stream.Events{GuestLog: func(stream.VertexID, stream.GuestLevel, string) {
		inside <- struct{}{}
		select {}
	}}
	idle := mustTransform(t, mustLoad(t, e, abitest.Identity()), Config{Vertex: "idle"})
	out := stream.Output{Batch: (&stream.BatchPool{}).New()}
	if err := idle.Call(t.Context(), batchOf([]abitest.Record{{Value: "x"}}), &out); err != nil {
		t.Fatal(err)
	}
	for _, path := range guests {
		p, err := e.Load(t.Context(), path, DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		tr := mustTransform(t, p, Config{Vertex: "v", Grant: []abi.Capability{abi.CapabilityLog}, Events: events})
		go func() {
			out := stream.Output{Batch: (&stream.BatchPool{}).New()}
			_ = tr.Call(context.Background(), batchOf([]abitest.Record{{Value: "x"}}), &out)
		}()
	}
	for range guests {
		<-inside
	}
	die()
}

// dieInACall has another process die, which removes no folder of its own any more: they are in
// one of this test.
func dieInACall(t *testing.T, cache, death string, guests ...string) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), exe, "-test.run=^TestDieInACall$")
	c.Env = append(os.Environ(), "TEST_DEATH="+death, "TMPDIR="+t.TempDir(), "TEST_CACHE="+cache, "TEST_GUESTS="+strings.Join(guests, string(filepath.ListSeparator)))
	var said bytes.Buffer
	c.Stdout, c.Stderr = &said, &said
	err = c.Run()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || strings.Contains(said.String(), "--- FAIL") {
		t.Fatalf("got %v: %s", err, said.String())
	}
}

// tryLoad loads a plugin with a new engine.
func tryLoad(t *testing.T, cache, path string) error {
	t.Helper()
	e := engineAt(t, cache)
	p, err := e.Load(t.Context(), path, DefaultLimits())
	if err != nil {
		return err
	}
	return p.Close(t.Context())
}

func engineAt(t *testing.T, cache string) *Engine {
	t.Helper()
	e, err := NewEngine(t.Context(), cache, CompileLimits{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return e
}

func breathFiles(t *testing.T, cache string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(cache, "wasm", breathDir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestAPluginIsNotLoadedAgainAfterItsProcessDied(t *testing.T) {
	tests := []struct {
		death string
		why   string // "" = nobody is accused
	}{
		{"a panic", "panic: the host's own fault"},
		{"a fatal error", "a fatal error of Go's runtime in internal/runtime/maps.fatal"},
		{"SIGKILL", ""},
		{"SIGQUIT", ""},
		{"exit", ""},
	}
	for _, tt := range tests {
		t.Run(tt.death, func(t *testing.T) {
			cache, guest := t.TempDir(), writeModule(t, logs())
			dieInACall(t, cache, tt.death, guest)
			if n := len(breathFiles(t, cache)); n != 2 {
				t.Errorf("the process left %d files", n)
			}
			err := tryLoad(t, cache, guest)
			if left := breathFiles(t, cache); len(left) != 0 {
				t.Errorf("left are %v", left)
			}
			if idle := tryLoad(t, cache, writeModule(t, abitest.Identity())); idle != nil {
				t.Errorf("a plugin that was not in a call: %v", idle)
			}
			if tt.why == "" {
				if err != nil {
					t.Errorf("got %v", err)
				}
				return
			}
			if stream.CodeOf(err) != stream.PluginQuarantined || !strings.Contains(err.Error(), tt.why) ||
				!strings.Contains(err.Error(), time.Now().Format("2006-")) || !strings.Contains(err.Error(), "wasmill plugin release "+guest) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAPluginIsReleasedOrReplaced(t *testing.T) {
	cache, guest := t.TempDir(), writeModule(t, logs())
	dieInACall(t, cache, "a panic", guest)
	e := engineAt(t, cache)
	if err := tryLoad(t, cache, guest); stream.CodeOf(err) != stream.PluginQuarantined {
		t.Fatalf("got %v", err)
	}
	if was, err := e.Release(writeModule(t, abitest.Identity())); was || err != nil {
		t.Errorf("another plugin: released %v, %v", was, err)
	}
	if was, err := e.Release(guest); !was || err != nil {
		t.Errorf("released %v, %v", was, err)
	}
	if err := tryLoad(t, cache, guest); err != nil {
		t.Errorf("after its release: %v", err)
	}
	dieInACall(t, cache, "a panic", guest)
	if err := os.WriteFile(guest, abitest.Identity(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := tryLoad(t, cache, guest); err != nil {
		t.Errorf("with other content: %v", err)
	}
}

// TestOneOfSeveralPluginsIsAccusedTwice lets two plugins be in calls.
func TestOneOfSeveralPluginsIsAccusedTwice(t *testing.T) {
	cache, one := t.TempDir(), writeModule(t, logs())
	other, third := writeModule(t, append(logs(), 0, 3, 1, 'x', 0)), writeModule(t, append(logs(), 0, 3, 1, 'y', 0)) // custom sections
	check := func(when string, want ...bool) {
		t.Helper()
		for k, path := range []string{one, other, third} {
			if err := tryLoad(t, cache, path); (stream.CodeOf(err) == stream.PluginQuarantined) != want[k] || err != nil && !want[k] {
				t.Errorf("%s: plugin %d: %v", when, k, err)
			}
		}
	}
	dieInACall(t, cache, "a panic", one, other)
	check("after one death", false, false, false)
	dieInACall(t, cache, "a panic", one, third)
	check("after another", true, false, false)
}

// TestASupervisedProcessDiesThreeTimes lets one plugin be in a call at each death, another
// one at the second.
func TestASupervisedProcessDiesThreeTimes(t *testing.T) {
	t.Setenv("TEST_DEATHS", "3")
	cache, one := t.TempDir(), writeModule(t, logs())
	other := writeModule(t, append(logs(), 0, 3, 1, 'x', 0))
	in := func(when string, path string, want bool) {
		t.Helper()
		err := tryLoad(t, cache, path)
		if (stream.CodeOf(err) == stream.PluginQuarantined) != want || err != nil && !want {
			t.Errorf("%s: %v", when, err)
		}
		if want && !strings.Contains(err.Error(), ", as in 2 before") {
			t.Errorf("%s it says %v", when, err)
		}
	}
	dieInACall(t, cache, "a panic", one)
	in("after one death", one, false)
	dieInACall(t, cache, "SIGKILL", one)
	dieInACall(t, cache, "a panic", one, other)
	in("after another, and one without a word", one, false)
	dieInACall(t, cache, "a fatal error", one)
	in("after a third", one, true)
	in("the other one after a third", other, false)
}

func TestTheFilesOfTheLivingAreLeftAlone(t *testing.T) {
	cache := t.TempDir()
	e := engineAt(t, cache)
	if err := e.Watch(0); err != nil {
		t.Fatal(err)
	}
	running, free := e.breath.slot(strings.Repeat("ab", 32))
	*running = 1
	if err := os.WriteFile(e.breath.crash(), []byte("panic: not yet"), 0o600); err != nil {
		t.Fatal(err)
	}
	engineAt(t, cache)
	if left := breathFiles(t, cache); len(left) != 2 {
		t.Errorf("left are %v", left)
	}
	free()
	if err := e.unwatch(); err != nil {
		t.Error(err)
	}
	e.breath = nil
	if left := breathFiles(t, cache); len(left) != 0 {
		t.Errorf("after the end %v are left", left)
	}
}

func TestSlotsAreReusedAndMayRunOut(t *testing.T) {
	b, err := openBreath(t.TempDir(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := b.close(); err != nil {
			t.Error(err)
		}
	}()
	hash := func(k int) string { return fmt.Sprintf("%064x", k) }
	var frees []func()
	for k := range breathSlots + 3 {
		at, free := b.slot(hash(k))
		*at = 1
		frees = append(frees, free)
	}
	if n := len(running(b.all)); n != breathSlots {
		t.Errorf("%d of %d in calls", n, breathSlots)
	}
	for _, free := range frees {
		free()
	}
	if n := len(running(b.all)); n != 0 {
		t.Errorf("%d in calls in the end", n)
	}
	for range 2 {
		at, _ := b.slot(hash(7))
		*at = 1
	}
	if got := running(b.all); !slices.Equal(got, []string{hash(7)}) {
		t.Errorf("in calls are %v", got)
	}
}

func TestOrphansAndDamagedFilesAreSwept(t *testing.T) {
	cache := t.TempDir()
	dir := filepath.Join(cache, "wasm", breathDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"1-orphan.crash": "panic: x", "2-short.breath": "short", "2-short.crash": "panic: x",
		"3-garbage.breath": strings.Repeat("\x01", 3*breathSlot+5), "3-garbage.crash": "panic: x", "4-alone.breath": "",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	engineAt(t, cache)
	if left := breathFiles(t, cache); len(left) != 0 {
		t.Errorf("left are %v", left)
	}
	if charges, err := os.ReadDir(filepath.Join(cache, "wasm", quarantineDir)); len(charges) != 0 {
		t.Errorf("charged are %v, %v", charges, err)
	}
}

func TestADeathIsChargedOnceAndForgottenIfNothingFollows(t *testing.T) {
	e := engineAt(t, t.TempDir())
	two := []string{strings.Repeat("11", 32), strings.Repeat("22", 32)}
	now := time.Now()
	charge := func(death string, hashes ...string) *charge {
		t.Helper()
		if err := e.charge(death, now, "panic: x", hashes); err != nil {
			t.Fatal(err)
		}
		c, err := e.charged(hashes[0])
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	charge("a", two...)
	if c := charge("a", two...); c.proven() {
		t.Error("a death that was charged before counts again")
	}
	c := charge("b", two...)
	if !c.proven() {
		t.Error("two deaths do not count")
	}
	if c := charge("c", two[1]); !c.proven() {
		t.Error("alone does not count")
	}
	long := strings.Repeat("33", 32)
	charge("a", long, two[0])
	now = now.Add(8 * 24 * time.Hour)
	if c := charge("d", long, two[0]); c.proven() {
		t.Error("what was long ago counts")
	}
	supervised := strings.Repeat("44", 32)
	for k, want := range []bool{false, false, true} {
		if c := charge(fmt.Sprintf("%d-X-of3.breath", k), supervised); c.proven() != want {
			t.Errorf("after death %d it is proven: %v", k+1, c.proven())
		}
	}
	mixed := strings.Repeat("55", 32)
	charge("1-X-of3.breath", mixed)
	if c := charge("2-X.breath", mixed); !c.proven() {
		t.Error("a death that nobody supervised is like another")
	}
}
