package durable_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/checkpoint/storetest"
	"github.com/wasmill/wasmill/host/control/durable"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
)

func TestARunEndsWithALastCheckpointAndTheNextReadsNothingAgain(t *testing.T) {
	inTime(t, func(t *testing.T, w *world) {
		w.count = 1000
		if err := <-w.begin().done; err != nil {
			t.Fatal(err)
		}
		w.expect(1000)
		if m := w.manifest(0); m.Reason != checkpoint.ReasonFinal || position(t, m) != 1000 {
			t.Errorf("the last checkpoint is %s at %d", m.Reason, position(t, m))
		}
		w.count = 1500
		if err := <-w.begin().done; err != nil {
			t.Fatal(err)
		}
		w.expect(1500)
	})
}

func TestARunThatIsKilledGoesOnFromItsLastCheckpoint(t *testing.T) {
	inTime(t, func(t *testing.T, w *world) {
		w.slow = func(value string) time.Duration { return time.Duration(len(value)*int(value[0])%7) * time.Millisecond }
		w.count = 5000
		for range 20 {
			l := w.begin()
			w.sleep(230 * time.Millisecond)
			l.kill()
		}
		if err := <-w.begin().done; err != nil {
			t.Fatal(err)
		}
		w.expect(5000)
	})
}

func TestSourcesAreAcknowledgedOnlyForWhatIsStored(t *testing.T) {
	inTime(t, func(t *testing.T, w *world) {
		l := w.begin()
		w.sleep(450 * time.Millisecond)
		w.store.Break(storetest.Put, "manifest", 0, storetest.Fault{Err: storetest.Down})
		synctest.Wait()
		stored := position(t, w.manifest(0))
		w.sleep(5 * time.Second)
		if last := w.acked[len(w.acked)-1]; last != stored {
			t.Errorf("acknowledged up to %d, stored up to %d", last, stored)
		}
		w.store.Heal()
		l.drain()
		if last := w.acked[len(w.acked)-1]; last != position(t, w.manifest(0)) || last < 5000 {
			t.Errorf("acknowledged up to %d at the end", last)
		}
	})
}

func TestAFailedUploadCostsOneCheckpoint(t *testing.T) {
	inTime(t, func(t *testing.T, w *world) {
		w.settings.Interval = time.Second
		l := w.begin()
		w.sleep(2500 * time.Millisecond)
		w.store.Break(storetest.All, "", 0, storetest.Fault{Hang: true})
		w.sleep(30 * time.Second)
		w.store.Heal()
		w.store.Break(storetest.All, "", 0, storetest.Fault{Err: storetest.Down})
		w.sleep(30 * time.Second)
		if l.Phase() != pipeline.PhaseRunning || len(w.failed) < 3 {
			t.Fatalf("phase %s after %d failures", l.Phase(), len(w.failed))
		}
		at := position(t, w.manifest(0))
		w.store.Heal()
		w.sleep(w.settings.Interval + 10*time.Second)
		if now := position(t, w.manifest(0)); now < at+60_000 {
			t.Errorf("the checkpoint after the failure stands at %d, the one before at %d", now, at)
		}
		if s := l.Checkpoints(); s.Aborted < 3 || s.InARow != 0 || s.Last == nil {
			t.Errorf("status %+v", s)
		}
		l.drain()
		w.expect(position(t, w.manifest(0)))
	})
}

func TestTooManyFailuresEndTheRun(t *testing.T) {
	inTime(t, func(t *testing.T, w *world) {
		w.settings.TolerableFailures = 2
		l := w.begin()
		w.sleep(time.Second)
		w.store.Break(storetest.Put, "", 0, storetest.Fault{Err: storetest.Down})
		err := <-l.done
		if stream.CodeOf(err) != stream.CheckpointFailed || l.Phase() != pipeline.PhaseFailed {
			t.Errorf("phase %s, %v", l.Phase(), err)
		}
	})
}

func TestAWriterThatIsTakenOverEndsAndCommitsNothing(t *testing.T) {
	inTime(t, func(t *testing.T, w *world) {
		first := w.begin()
		w.sleep(450 * time.Millisecond)
		synctest.Wait()
		other := w.begin()
		err := <-first.done
		if !errors.Is(err, checkpoint.ErrFenced) || stream.ExitCode(err) != stream.ExitFenced {
			t.Errorf("the first ended with %v", err)
		}
		w.sleep(300 * time.Millisecond)
		other.drain()
		w.expect(position(t, w.manifest(0)))
	})
}

func TestADamagedCheckpointIsSkippedAndNoneIsNoStart(t *testing.T) {
	inTime(t, func(t *testing.T, w *world) {
		l := w.begin()
		w.sleep(550 * time.Millisecond)
		l.kill()
		newest := w.manifest(0).Epoch
		w.change = func(*durable.Config) {
			w.store.Break(storetest.Get, "manifest", 1, storetest.Fault{Alter: func(data []byte) []byte { data[10] ^= 1; return data }})
		}
		l = w.begin()
		w.sleep(50 * time.Millisecond)
		if len(w.damaged) != 1 || w.damaged[0] != newest || w.restored.Epoch != newest-1 {
			t.Errorf("damaged %v, restored %d, the newest is %d", w.damaged, w.restored.Epoch, newest)
		}
		l.kill()
		w.change = func(*durable.Config) {
			w.store.Break(storetest.Get, "manifest", 0, storetest.Fault{Alter: func(data []byte) []byte { return data[:len(data)/2] }})
		}
		if err := <-w.begin().done; stream.CodeOf(err) != stream.CheckpointUnreadable {
			t.Errorf("none can be read: %v", err)
		}
	})
}

func TestWhatIsInSlowCallsIsInTheLastCheckpointAfterDrain(t *testing.T) {
	inTime(t, func(t *testing.T, w *world) {
		w.slow = func(value string) time.Duration {
			if strings.HasSuffix(value, "77") {
				return time.Hour
			}
			return 0
		}
		l := w.begin()
		w.sleep(300 * time.Millisecond)
		began := time.Now()
		l.drain()
		if took := time.Since(began); took > 2*time.Second || l.Phase() != pipeline.PhaseStopped {
			t.Errorf("draining took %v, phase %s", took, l.Phase())
		}
		w.slow = func(string) time.Duration { return 0 }
		l = w.begin()
		w.sleep(300 * time.Millisecond)
		if w.restored.InFlight == 0 {
			t.Error("nothing was in flight")
		}
		l.drain()
		w.expect(position(t, w.manifest(0)))
	})
}

func TestAtTheEndOfItsSourcesARunWaitsForSlowCalls(t *testing.T) {
	inTime(t, func(t *testing.T, w *world) {
		w.count = 100
		w.slow = func(value string) time.Duration { return time.Duration(len(value)) * time.Minute }
		began := time.Now()
		if err := <-w.begin().done; err != nil {
			t.Fatal(err)
		}
		w.expect(100)
		if took := time.Since(began); took < 45*time.Minute {
			t.Errorf("it took %v", took)
		}
	})
}

func TestACommitThatFailsIsTriedAgain(t *testing.T) {
	inTime(t, func(t *testing.T, w *world) {
		w.settings.MaxInFlight = 5 // one it is, all the same
		l := w.begin()
		w.sleep(250 * time.Millisecond)
		w.out.mu.Lock()
		w.out.fail = errors.New("no")
		w.out.mu.Unlock()
		w.sleep(10 * time.Second)
		if s := l.Checkpoints(); s.CommitsFailed == 0 || len(s.InFlight) != 1 || s.InFlight[0].Phase != checkpoint.PhaseCommitting {
			t.Errorf("status %+v", s)
		}
		l.kill()
		w.out.fail = nil
		l = w.begin()
		w.sleep(250 * time.Millisecond)
		l.drain()
		w.expect(position(t, w.manifest(0)))
	})
}

func TestAFreshStartForgetsEverything(t *testing.T) {
	inTime(t, func(t *testing.T, w *world) {
		w.count = 300
		if err := <-w.begin().done; err != nil {
			t.Fatal(err)
		}
		before := w.manifest(0).Epoch
		w.out.shown, w.start.Fresh = nil, true
		l := w.begin()
		w.sleep(150 * time.Millisecond)
		l.kill()
		if m := w.manifest(0); m.Epoch <= before || m.Parent != 0 && m.Parent <= before {
			t.Errorf("epoch %d after %d builds on %d", m.Epoch, before, m.Parent)
		}
		w.start.Fresh = false
		if err := <-w.begin().done; err != nil {
			t.Fatal(err)
		}
		w.expect(300)
	})
}

func TestARunMayBeginWithAnOlderCheckpointOrThatOfAnotherPlace(t *testing.T) {
	inTime(t, func(t *testing.T, w *world) {
		l := w.begin()
		w.sleep(450 * time.Millisecond)
		l.kill()
		newest := w.manifest(0)
		w.start.Epoch = newest.Epoch - 1
		at := position(t, w.manifest(w.start.Epoch))
		l = w.begin()
		w.sleep(5 * time.Millisecond)
		synctest.Wait()
		if m := w.manifest(0); w.restored.Epoch != w.start.Epoch || m.Epoch <= newest.Epoch || m.Parent != w.start.Epoch || position(t, m) < at {
			t.Errorf("restored %d; the newest is %d, and builds on %d", w.restored.Epoch, m.Epoch, m.Parent)
		}
		l.kill()

		other := newWorld(t)
		other.start.From = &durable.Origin{Pipeline: "p", Open: func(context.Context) (checkpoint.Store, error) { return w.place.Open(), nil }}
		l = other.begin()
		w.sleep(5 * time.Millisecond)
		synctest.Wait()
		if m := other.manifest(0); other.restored.Epoch != w.manifest(0).Epoch || m.Parent != 0 || position(t, m) < at {
			t.Errorf("restored %d; the first one builds on %d", other.restored.Epoch, m.Parent)
		}
		if _, err := other.place.Open().Get(t.Context(), "p/starts/00000000000000000001-adopted"); err != nil {
			t.Errorf("that it began elsewhere is not noted: %v", err)
		}
		l.kill()
	})
}

func TestARestoreThatDropsSomethingIsRefusedUnlessAllowed(t *testing.T) {
	inTime(t, func(t *testing.T, w *world) {
		w.slow = func(string) time.Duration { return 10 * time.Millisecond }
		l := w.begin()
		w.sleep(450 * time.Millisecond)
		l.kill()
		w.slow = nil
		err := <-w.begin().done
		if stream.CodeOf(err) != stream.CheckpointUnfit || stream.ExitCode(err) != stream.ExitInput || !strings.Contains(err.Error(), "slow: there is no such vertex any more, which drops") {
			t.Errorf("got %v", err)
		}
		w.start.AllowDropped = true
		l = w.begin()
		w.sleep(50 * time.Millisecond)
		if w.restored.Epoch == 0 || len(w.restored.Findings) == 0 {
			t.Errorf("restored %+v", w.restored)
		}
		l.drain()
	})
}

// TestOfManyWritersOneWins lets them all begin at once.
func TestOfManyWritersOneWins(t *testing.T) {
	inTime(t, func(t *testing.T, w *world) {
		var all []*life
		for range 5 {
			all = append(all, w.begin())
		}
		w.sleep(time.Second)
		synctest.Wait()
		var left []*life
		for _, l := range all {
			select {
			case err := <-l.done:
				if !errors.Is(err, checkpoint.ErrFenced) {
					t.Errorf("a writer ended with %v", err)
				}
			default:
				left = append(left, l)
			}
		}
		if len(left) != 1 {
			t.Fatalf("%d writers are left", len(left))
		}
		left[0].drain()
		w.expect(position(t, w.manifest(0)))
	})
}

// TestAWriterThatIsTakenOverAfterItHasStoredCommitsNothing is about the moment between
// the two: the other one has begun with the checkpoint before.
func TestAWriterThatIsTakenOverAfterItHasStoredCommitsNothing(t *testing.T) {
	inTime(t, func(t *testing.T, w *world) {
		first := w.begin()
		w.sleep(450 * time.Millisecond)
		w.store.Break(storetest.Create, "/epochs/", 1, storetest.Fault{Delay: 120 * time.Millisecond})
		w.sleep(100 * time.Millisecond)
		other := w.begin()
		if err := <-first.done; !errors.Is(err, checkpoint.ErrFenced) {
			t.Errorf("the first ended with %v", err)
		}
		w.sleep(time.Second)
		synctest.Wait()
		if s := other.Checkpoints(); s.Aborted != 1 || s.Completed < 5 {
			t.Errorf("the other one, whose epoch was taken, has %+v", s.Counts)
		}
		other.kill()
		l := w.begin()
		w.sleep(300 * time.Millisecond)
		l.drain()
		w.expect(position(t, w.manifest(0)))
	})
}

// TestWhatATakenOverWriterHasStoredIsAbandoned lets the newer one end before it has
// stored anything.
func TestWhatATakenOverWriterHasStoredIsAbandoned(t *testing.T) {
	inTime(t, func(t *testing.T, w *world) {
		first := w.begin()
		w.sleep(450 * time.Millisecond)
		w.store.Break(storetest.Create, "/epochs/", 1, storetest.Fault{Delay: 120 * time.Millisecond})
		w.sleep(100 * time.Millisecond)
		other := w.begin()
		w.sleep(time.Millisecond)
		other.kill()
		if err := <-first.done; !errors.Is(err, checkpoint.ErrFenced) {
			t.Errorf("the first ended with %v", err)
		}
		abandoned := w.manifest(0).Epoch
		l := w.begin()
		w.sleep(300 * time.Millisecond)
		if w.restored.Epoch != abandoned-1 {
			t.Errorf("restored %d, abandoned is %d", w.restored.Epoch, abandoned)
		}
		l.drain()
		w.expect(position(t, w.manifest(0)))
	})
}
