package checkpoint

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

func TestChoose(t *testing.T) {
	wide := Adaptive{Min: time.Second, Max: time.Hour}
	for _, c := range []struct {
		name     string
		adaptive Adaptive
		in       Inputs
		current  time.Duration
		want     time.Duration // to the second
		by       string
	}{
		{"Young's formula with half a second and a day", wide, Inputs{Cost: Known(0.5)}, 0, 294 * time.Second, ByCost},
		{"23 restarts make it an hour", wide, Inputs{Cost: Known(0.1), Restarts: 23}, 0, 27 * time.Second, ByCost},
		{"nothing known and nothing in force", wide, Inputs{}, 0, 10 * time.Second, ByStart},
		{"nothing known leaves what is in force", wide, Inputs{}, 90 * time.Second, 90 * time.Second, ByStart},
		{"it costs nothing", wide, Inputs{Cost: Known(0)}, 0, time.Second, ByMin},
		{"it costs the earth", wide, Inputs{Cost: Known(1e300)}, 0, time.Hour, ByMax},
		{"a quarter more is not worth a change", wide, Inputs{Cost: Known(0.5)}, 240 * time.Second, 240 * time.Second, ByHysteresis},
		{"a third more is", wide, Inputs{Cost: Known(0.5)}, 220 * time.Second, 294 * time.Second, ByCost},
		{"a start above the maximum", Adaptive{Min: time.Second, Max: 5 * time.Second}, Inputs{}, 0, 5 * time.Second, ByMax},
		{"recovery: 60 s less 10 s, half of the capacity free", Adaptive{Min: time.Second, Max: time.Hour, RecoveryTime: time.Minute}, Inputs{Cost: Known(0.5), Load: Load{Known(1), Known(2), Known(4), Known(6)}}, 0, 50 * time.Second, ByRecoveryTime},
		{"recovery: one figure unknown", Adaptive{Min: time.Second, Max: time.Hour, RecoveryTime: time.Minute}, Inputs{Cost: Known(0.5), Load: Load{Known(1), Figure{}, Known(4), Known(6)}}, 0, 294 * time.Second, ByCost},
		{"recovery: no input", Adaptive{Min: time.Second, Max: time.Hour, RecoveryTime: time.Minute}, Inputs{Cost: Known(0.5), Load: Load{Known(0), Known(2), Known(4), Known(6)}}, 0, 294 * time.Second, ByCost},
		{"recovery: more comes in than goes out", Adaptive{Min: 2 * time.Second, Max: time.Hour, RecoveryTime: time.Minute}, Inputs{Cost: Known(0.5), Load: Load{Known(3), Known(2), Known(4), Known(6)}}, 0, 2 * time.Second, ByRecoveryTime},
		{"recovery: the restore alone takes longer", Adaptive{Min: 2 * time.Second, Max: time.Hour, RecoveryTime: time.Minute}, Inputs{Load: Load{Known(1), Known(2), Known(4), Known(90)}}, 0, 2 * time.Second, ByRecoveryTime},
		{"recovery: a bound above what is in force by little", Adaptive{Min: time.Second, Max: time.Hour, RecoveryTime: time.Minute}, Inputs{Cost: Known(0.5), Load: Load{Known(1), Known(2), Known(4), Known(6)}}, 45 * time.Second, 45 * time.Second, ByRecoveryTime},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Choose(c.adaptive, c.in, c.current)
			if got.Interval.Round(time.Second) != c.want || got.By != c.by {
				t.Errorf("%v by %s; %+v", got.Interval, got.By, got)
			}
		})
	}
}

func TestFiguresThatAreNoneAreUnknown(t *testing.T) {
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1} {
		if Known(v).Known {
			t.Errorf("%v is known", v)
		}
	}
}

// Whatever is measured, the interval is within its bounds, and the same figures
// again do not move it.
func TestTheChoiceIsBoundedAndStable(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	figure := func() Figure {
		if r.IntN(4) == 0 {
			return Figure{}
		}
		return Known(math.Exp(r.NormFloat64() * 20))
	}
	for range 100_000 {
		a := Adaptive{Min: time.Duration(1 + r.Int64N(int64(time.Minute)))}
		a.Max = a.Min + time.Duration(r.Int64N(int64(time.Hour)))
		if r.IntN(2) == 0 {
			a.RecoveryTime = time.Duration(r.Int64N(int64(time.Hour)))
		}
		in := Inputs{Cost: figure(), Restarts: r.IntN(100), Load: Load{figure(), figure(), figure(), figure()}}
		c := Choose(a, in, time.Duration(r.Int64N(int64(2*time.Hour))))
		if c.Interval < a.Min || c.Interval > a.Max {
			t.Fatalf("%v of %v to %v for %+v", c.Interval, a.Min, a.Max, in)
		}
		if c.Recovery.Known && c.Interval > a.Min && c.Interval > seconds(c.Recovery.Value) {
			t.Fatalf("%v, where the objective allows %v s: %+v", c.Interval, c.Recovery.Value, in)
		}
		if again := Choose(a, in, c.Interval); again.Interval != c.Interval {
			t.Fatalf("%v, then %v for %+v of %+v", c.Interval, again.Interval, in, a)
		}
	}
}

// A cost that swings by 30 % around its mean changes the interval when it is first
// measured, and once more if that was far from the mean.
func TestTheChoiceDoesNotWander(t *testing.T) {
	a := Adaptive{Min: time.Second, Max: time.Hour}
	r := rand.New(rand.NewPCG(2, 2))
	cost, current, changes := Figure{}, time.Duration(0), 0
	for range 10_000 {
		cost = mean(cost, 0.1*(0.7+0.6*r.Float64()))
		c := Choose(a, Inputs{Cost: cost}, current)
		if c.Interval != current {
			changes++
		}
		current = c.Interval
	}
	if changes > 2 {
		t.Errorf("%d changes", changes)
	}
}
