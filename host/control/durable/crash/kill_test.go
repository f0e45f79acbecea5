package crash_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// TestKillsAtAnyTime is K1: kills at any time lose nothing and double nothing.
func TestKillsAtAnyTime(t *testing.T) { killAtAnyTime(t, kills(20, 500), func(*world) {}) }

// kills returns how many there are, quick or in soak.
func kills(quick, long int) int {
	if soak() {
		return long
	}
	return quick
}

// killAtAnyTime kills workers until there were so many, in one world after the other. Every
// other one has published something before, however slow the machine is.
func killAtAnyTime(t *testing.T, times int, prepare func(*world)) {
	rng := seed(t)
	most := 600
	if soak() {
		most = 3000
	}
	killed, restored := 0, 0
	for n := 0; killed < times; n++ {
		t.Run(fmt.Sprint("world ", n), func(t *testing.T) {
			w := randomWorld(t, rng)
			prepare(w)
			for first := true; killed < times; first = !first {
				p := w.start()
				if first {
					p.publishes()
				}
				pause := time.Duration(10+rng.IntN(most-10)) * time.Millisecond
				select {
				case <-p.ended:
				case <-time.After(pause):
					_ = p.Process.Kill() // it may just have ended
				}
				if code := p.exit(); code == 0 {
					break
				} else if code > 0 {
					t.Fatalf("life %d: exit %d: %s", p.life, code, p.said.String())
				}
				killed++
				w.check(false)
			}
			w.start().completes()
			w.check(true)
			for _, e := range w.entries() {
				if e.verb == "restored" && e.numbers[0] > 0 {
					restored++
				}
			}
		})
		if t.Failed() {
			return
		}
	}
	if t.Logf("%d kills, %d restores", killed, restored); restored < times/5 {
		t.Error("hardly anything was restored")
	}
}

// publishes waits until a worker has completed a checkpoint, or ended.
func (p *running) publishes() {
	p.Helper()
	p.until("a checkpoint", func() bool {
		select {
		case <-p.ended:
			return true
		default:
			return count(p.entries(), p.life, "done") > 0
		}
	})
}

// randomWorld makes one of chance.
func randomWorld(t *testing.T, rng *rand.Rand) *world {
	w := newWorld(t)
	w.Seed = rng.Uint64()
	w.Keys, w.Concurrency = 1+rng.IntN(30), 1+rng.IntN(8)
	w.PerKey = 2400 / w.Keys
	if soak() {
		w.PerKey *= 4
	}
	w.Prunes = rng.IntN(2) == 0
	w.Interval = time.Duration(10+rng.IntN(60)) * time.Millisecond
	w.AlignTimeout = []time.Duration{0, time.Millisecond, 10 * time.Millisecond}[rng.IntN(3)]
	w.Pace = 4 * time.Millisecond
	w.Retain = 1 + rng.IntN(3)
	return w
}

// TestNothingIsAcknowledgedTooEarly is B8: whatever is acknowledged is gone for good,
// calls end in any order, some fail, and the process is killed.
func TestNothingIsAcknowledgedTooEarly(t *testing.T) {
	disorder, acked := 0, 0
	killAtAnyTime(t, kills(8, 100), func(w *world) {
		w.Prunes = true
		w.Keys, w.PerKey, w.Concurrency = 8, 300, 8
		w.Cleanup(func() {
			disorder += w.outOfOrder()
			acked += count(w.entries(), 0, "acked")
		})
	})
	if disorder < 100 || acked < 10 {
		t.Errorf("%d numbers came out of order, and %d times something was acknowledged", disorder, acked)
	}
}
