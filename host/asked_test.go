package host

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/control/phase"
	"github.com/wasmill/wasmill/host/stream"
)

// TestAPhaseByHandOutlivesTheProcess until the file says something else.
func TestAPhaseByHandOutlivesTheProcess(t *testing.T) {
	dir := t.TempDir()
	file, kept := filepath.Join(dir, "p.yaml"), filepath.Join(dir, "data", "phases", "p.json")
	write := func(phase string) {
		t.Helper()
		text := "name: p\n" + phase + "vertices:\n  - {name: in, source: {generator: {rate: 100}}}\n  - {name: out, sink: drop}\nedges:\n  - {from: in, to: out}\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	open := func() (*Host, error) {
		return Open(t.Context(), Options{Files: []string{file}, Revisions: true, Set: []string{"data.dir=" + filepath.Join(dir, "data"), "cache.dir=" + t.TempDir()}})
	}
	// lives runs the pipeline, does something and ends at once, as by a crash. It returns
	// what was desired at first.
	lives := func(do func(*Host) error) (first phase.Phase) {
		t.Helper()
		h, err := open()
		if err != nil {
			t.Fatal(err)
		}
		first = h.Status().Pipelines[0].Desired
		ctx, crash := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- h.Run(ctx) }()
		if err := do(h); err != nil {
			t.Error(err)
		}
		crash()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if err := h.Close(context.Background()); err != nil {
			t.Error(err)
		}
		return first
	}
	ask := func(want phase.Phase) func(*Host) error {
		return func(h *Host) error { _, err := h.SetPhase("p", want); return err }
	}
	nothing := func(*Host) error { return nil }
	edit := func(text string) func(*Host) error {
		return func(h *Host) error {
			write(text)
			_, err := h.Reload(context.Background())
			return err
		}
	}
	expect := func(what string, got, want phase.Phase) {
		t.Helper()
		if got != want {
			t.Errorf("%s: it begins %s", what, got)
		}
	}

	write("")
	expect("the file says nothing", lives(ask(phase.Paused)), phase.Running)
	expect("it was paused by hand", lives(nothing), phase.Paused)
	expect("and still is", lives(edit("description: another text\n")), phase.Paused)
	expect("an edit of something else", lives(edit("phase: paused\n")), phase.Paused)
	expect("the file paused it", lives(edit("")), phase.Paused)
	expect("the file let it go on, and what was asked for is forgotten", lives(ask(phase.Paused)), phase.Running)
	write("phase: paused\n") // while nothing runs
	expect("the file has changed", lives(ask(phase.Running)), phase.Paused)
	expect("it was let go on by hand", lives(nothing), phase.Running)
	write("") // while nothing runs, twice
	expect("the file has changed again", lives(nothing), phase.Running)
	write("phase: paused\n")
	expect("what was asked for long ago does not come back", lives(nothing), phase.Paused)

	if err := os.WriteFile(kept, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := open(); stream.CodeOf(err) != stream.Environment || !strings.Contains(err.Error(), kept) {
		t.Errorf("a damaged file: %v", err)
	}
}
