package crash_test

import (
	"slices"
	"syscall"
	"testing"

	"github.com/wasmill/wasmill/host/stream"
)

// TestAStoppedProcessGoesOnBeforeTheNextHasPublished is K4 at the worst moment: the
// epoch that the old process is about to publish is still free.
func TestAStoppedProcessGoesOnBeforeTheNextHasPublished(t *testing.T) {
	for _, step := range []string{"mid upload", "the manifest before the record", "the record before the sinks", "before a commit"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.Prunes = true
			w.Step, w.Nth, w.Signal = step, 3, syscall.SIGSTOP
			old := w.start()
			old.halts(step)
			w.Step, w.Nth = "the source opened", 1
			w.isLate(old)
		})
	}
}

// TestAStoppedProcessPublishesBetweenCheckpointsOfTheNext is that with an old process
// that has given up epochs, so that the one that it is about to publish is newer than
// some of the next process.
func TestAStoppedProcessPublishesBetweenCheckpointsOfTheNext(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Prunes = true
	w.Fault, w.Of, w.After, w.Heals = "refuse", "manifest.json", 2, 2
	w.Step, w.Nth, w.Signal = "the manifest before the record", 3, syscall.SIGSTOP
	old := w.start()
	old.halts(w.Step)
	w.Fault = ""
	w.Step, w.Nth = "the mark", 2
	w.isLate(old)
}

// isLate lets an old process go on while the next one stands at a step. The old one
// shows nothing more; the next one, or one after it, comes to the end.
func (w *world) isLate(old *running) {
	w.Helper()
	w.two = true
	young := w.start()
	young.halts(w.Step)
	before := w.committed()
	old.signal(syscall.SIGCONT)
	if code := old.exit(); code != stream.ExitFenced {
		w.Errorf("exit %d: %s", code, old.said.String())
	}
	if after := w.committed(); !slices.Equal(before, after) {
		w.Errorf("there were %d lines, and are %d", len(before), len(after))
	}
	w.Step = ""
	young.signal(syscall.SIGCONT)
	if code := young.exit(); code != 0 {
		w.Logf("exit %d: %s", code, young.said.String())
		w.start().completes()
	}
	w.check(true)
}

// committed returns what the transactional sinks show.
func (w *world) committed() []string {
	w.Helper()
	return append(w.lines("ordered"), w.lines("counts-*")...)
}
