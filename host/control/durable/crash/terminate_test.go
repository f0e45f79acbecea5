package crash_test

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/wasmill/wasmill/checkpoint"
)

// TestTerminationTakesALastCheckpoint is K3: under load SIGTERM ends the worker with
// nothing left to be done again, also when calls take minutes.
func TestTerminationTakesALastCheckpoint(t *testing.T) {
	t.Run("when all comes through", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.Prunes = true
		if n := w.terminates(); n > 0 {
			t.Errorf("%d records are in flight", n)
		}
		read := w.goesOnWhereItStood()
		w.checkRepeated(read)
	})
	t.Run("when calls take minutes", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.Slow, w.AlignTimeout, w.Concurrency = 200, 50*time.Millisecond, 12
		if n := w.terminates(); n < 2 {
			t.Errorf("%d records are in flight", n)
		}
		w.Slow = 0
		w.goesOnWhereItStood()
	})
}

// terminates ends a worker by SIGTERM under load, and returns how many records the last
// checkpoint has in flight.
func (w *world) terminates() (inFlight int) {
	w.Helper()
	w.Lasts = true
	p := w.start()
	w.Lasts = false
	w.happens(w.Life, "done", 4)
	if w.Slow > 0 {
		w.happens(w.Life, "slow", 2)
	}
	began := time.Now()
	p.signal(syscall.SIGTERM)
	p.completes()
	if took := time.Since(began); took > 30*time.Second {
		w.Errorf("it took %v", took)
	}
	entries := w.entries()
	if read := w.lastRead(entries, w.Life); read == w.total() {
		w.Fatal("the source was at its end before")
	}
	newest := w.newest()
	m := newest.Manifest
	if newest.State != checkpoint.Complete || m == nil || m.Reason != checkpoint.ReasonFinal || last(entries, w.Life, "final") != int(newest.Epoch) {
		w.Fatalf("the newest checkpoint is %+v", newest)
	}
	if at, read := positionIn(m), w.lastRead(entries, w.Life); at != read {
		w.Errorf("the last checkpoint has the source at %d, and it read up to %d", at, read)
	}
	w.check(false)
	return inFlightIn(m)
}

// newest returns the newest checkpoint.
func (w *world) newest() checkpoint.Entry {
	w.Helper()
	all := w.checkpoints()
	if len(all) == 0 {
		w.Fatal("there is no checkpoint")
	}
	return all[0]
}

// reader returns one of the store, to be closed by done.
func (w *world) reader() (r *checkpoint.Reader, done func() error) {
	w.Helper()
	store, err := w.Bucket.open(filepath.Join(w.dir, storeName))
	if err != nil {
		w.Fatal(err)
	}
	return &checkpoint.Reader{Store: store, Pipeline: pipelineName}, store.Close
}

// checkpoints lists those that were published, the newest first.
func (w *world) checkpoints() (all []checkpoint.Entry) {
	w.Helper()
	r, done := w.reader()
	defer done()
	list, err := r.List(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	for _, e := range list {
		if e.State != checkpoint.Orphaned {
			all = append(all, e)
		}
	}
	return all
}

// lastRead returns up to where a life has read.
func (w *world) lastRead(all []entry, life int) (to int) {
	for _, e := range all {
		if e.life == life && e.verb == "read" {
			to = e.numbers[1]
		}
	}
	return to
}

// goesOnWhereItStood runs a worker to the end, whose source is not asked again for what
// it gave. It returns up to where the one before had read.
func (w *world) goesOnWhereItStood() (read int) {
	w.Helper()
	before := w.Life
	w.start().completes()
	w.check(true)
	entries := w.entries()
	read = w.lastRead(entries, before)
	if at := last(entries, w.Life, "open"); at != read {
		w.Errorf("the source goes on at %d, and had read up to %d", at, read)
	}
	return read
}

// checkRepeated makes sure that nothing of what the first life has read came again to
// the sink without transactions.
func (w *world) checkRepeated(read int) {
	w.Helper()
	for _, line := range w.shownAgain() {
		if line.life > 1 && line.number < read {
			w.Errorf("life %d shows %d again", line.life, line.number)
		}
	}
}
