package scale_test

import (
	"flag"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/control/scale"
)

var seed = flag.Uint64("seed", 0, "of the random run to look at; 0 = all")

// TestNothingScalesToZeroUnderLoad lets everything happen to a vertex in 10,000 random
// runs: it is never left with no instances while something came in the lookback or is
// pending, does not flap, and moves within its bounds, steps and cooldowns.
func TestNothingScalesToZeroUnderLoad(t *testing.T) {
	if *seed != 0 {
		randomRun(t, *seed)
		return
	}
	zeros := 0
	for n := uint64(1); n <= 10_000 && !t.Failed(); n++ {
		if zeros += randomRun(t, n); t.Failed() {
			t.Logf("look at it with: go test ./host/control/scale -run ZeroUnderLoad -seed %d", n)
		}
	}
	if *seed == 0 && zeros < 1000 && !t.Failed() {
		t.Errorf("only %d times anything was scaled to zero at all", zeros)
	}
}

func randomRun(t *testing.T, seed uint64) (zeros int) {
	r := rand.New(rand.NewPCG(seed, 8))
	set := scale.Settings{
		Min: r.IntN(3) / 2, Max: 1 + r.IntN(12), Lookback: time.Duration(10+r.IntN(20)) * time.Second,
		TargetProcessing: time.Duration(1+r.IntN(20)) * time.Second,
		CooldownUp:       time.Duration(r.IntN(10)) * time.Second, CooldownDown: time.Duration(r.IntN(10)) * time.Second,
		StepUp: 1 + r.IntN(4), StepDown: 1 + r.IntN(4),
	}
	w := newWorld(set, 1)
	w.slow = time.Duration(r.IntN(8)) * time.Second
	w.each = math.Exp(r.Float64()*6 - 2)
	turns := turns{lookback: set.Lookback}
	var changed time.Duration
	for range 120 {
		w.chance(r)
		before := w.n
		d := w.tick()
		by := w.n - before
		switch now := w.at.Monotonic; {
		case before > 0 && w.n == 0 && !w.quiet(set.Lookback):
			t.Errorf("seed %d, %v: scaled to zero under load: %+v", seed, now, d)
		case w.n < set.Min || w.n > set.Max:
			t.Errorf("seed %d, %v: %d is not within %d to %d", seed, now, w.n, set.Min, set.Max)
		case w.paused+w.swaps != "" && by != 0 && d.Kind != scale.Woken:
			t.Errorf("seed %d, %v: decided while it was suspended: %+v", seed, now, d)
		case by > set.StepUp && d.Kind != scale.Woken, -by > set.StepDown:
			t.Errorf("seed %d, %v: a step of %d: %+v", seed, now, by, d)
		case by > 0 && d.Kind != scale.Woken && changed > 0 && now-changed < set.CooldownUp, by < 0 && changed > 0 && now-changed < set.CooldownDown:
			t.Errorf("seed %d, %v: no cooldown since %v: %+v", seed, now, changed, d)
		case by > 0 && d.Kind != scale.Woken && (w.blind || w.queued/w.room >= 0.9):
			t.Errorf("seed %d, %v: more instances for a full downstream: %+v", seed, now, d)
		}
		if turns.step(w.at.Monotonic, by) > 2 {
			t.Errorf("seed %d, %v: it flaps", seed, w.at.Monotonic)
		}
		if by != 0 {
			changed = w.at.Monotonic
		}
		if by < 0 && w.n == 0 {
			zeros++
		}
	}
	return zeros
}

// chance lets time pass, and now and then something happen.
func (w *world) chance(r *rand.Rand) {
	switch r.IntN(60) {
	case 0:
		w.load = math.Exp(r.Float64()*8 - 3)
	case 1, 2, 3:
		w.load = 0
	case 4:
		w.hidden = !w.hidden
	case 5:
		w.blind = !w.blind
	case 6:
		w.missed = !w.missed
	case 7:
		w.at.Wall += time.Duration(r.Int64N(int64(4*time.Hour))) - 2*time.Hour
	case 8:
		w.drains = []float64{0, 1, 10, math.Inf(1)}[r.IntN(4)]
	case 9:
		w.paused = []string{"it pauses", ""}[r.IntN(2)]
	case 10:
		w.swaps = []string{"it is swapped", ""}[r.IntN(2)]
	case 11:
		w.restart(true)
	}
	w.hidden, w.missed = w.hidden && r.IntN(10) > 0, w.missed && r.IntN(10) > 0
	if w.paused != "" && r.IntN(8) == 0 {
		w.paused = ""
	}
	if w.swaps != "" && r.IntN(8) == 0 {
		w.swaps = ""
	}
	steps := 1
	if r.IntN(40) == 0 { // it stalls
		steps = 1 + r.IntN(20)
	}
	for step := range steps {
		before := w.counts
		w.pass(w.pace)
		if did := w.counts[0] - before[0]; step+1 == steps && !w.missed && r.IntN(50) == 0 && uint64(math.Ceil(did)) < w.seen { // a restart that only the counter tells of
			for i := range w.counts {
				w.counts[i] -= before[i]
			}
		}
	}
}
