package crash_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// undisturbed runs a worker from the beginning to the end.
func undisturbed(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.start().completes()
	w.check(true)
	return w
}

// TestAnyConcurrencyRestoresWhatAnotherLeft is K6: what comes out is that of a run that
// was never stopped.
func TestAnyConcurrencyRestoresWhatAnotherLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.AlignTimeout = time.Millisecond // so that there is much in flight
	for _, n := range []int{1, 4, 2, 7} {
		w.Concurrency = n
		w.dies("the mark", 4)
	}
	w.start().completes()
	w.check(true)
	w.same(undisturbed(t))
	inFlight := 0
	for _, e := range w.entries() {
		if e.verb == "restored" {
			inFlight += e.numbers[1]
		}
	}
	if inFlight == 0 {
		t.Error("nothing was in flight")
	}
}

// TestEveryCheckpointRestores is the other half of K6: not only the last one.
func TestEveryCheckpointRestores(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Retain, w.AlignTimeout = 100, time.Millisecond
	w.dies("the record before the sinks", 5)
	w.dies("after a commit", 9)
	want := undisturbed(t)
	all := w.checkpoints()
	if len(all) < 7 {
		t.Fatalf("there are %d checkpoints", len(all))
	}
	for _, c := range all {
		t.Run(fmt.Sprint("epoch ", c.Epoch), func(t *testing.T) {
			t.Parallel()
			one := w.fork(t)
			one.Epoch, one.fresh = c.Epoch, c.Epoch < all[0].Epoch
			one.start().completes()
			if got := last(one.entries(), one.Life, "restored"); got != int(c.Epoch) {
				t.Errorf("epoch %d was restored", got)
			}
			one.Epoch = stream.Epoch(0)
			one.check(true)
			one.same(want)
			one.start().completes() // what comes later goes on from there
			one.check(true)
		})
	}
}

// fork returns a world with a copy of everything.
func (w *world) fork(t *testing.T) *world {
	t.Helper()
	one := &world{T: t, dir: t.TempDir(), scenario: w.scenario}
	if err := os.CopyFS(filepath.Join(one.dir, "copy"), os.DirFS(w.dir)); err != nil {
		t.Fatal(err)
	}
	one.dir = filepath.Join(one.dir, "copy")
	return one
}
