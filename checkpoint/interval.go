package checkpoint

import (
	"math"
	"time"
)

// Adaptive lets the interval follow from what a checkpoint costs.
type Adaptive struct {
	Min, Max     time.Duration
	RecoveryTime time.Duration // how long after a crash the pipeline may be behind; 0: no objective
}

// Figure is a measured value that may not be known. What is not known never acts.
type Figure struct {
	Value float64
	Known bool
}

// Known returns a known figure, unless the value is no number of at least 0.
func Known(value float64) Figure {
	return Figure{value, value >= 0 && !math.IsInf(value, 1)}
}

// Load says how busy the pipeline is and how fast it comes back.
type Load struct {
	Rate     Figure // records/s that come in
	Capacity Figure // records/s that it could take at most
	Detect   Figure // s from a crash to the next start
	Restore  Figure // s that a restore takes
}

// Inputs is all that the choice of an adaptive interval depends on.
type Inputs struct {
	Cost     Figure // s that the data path stands still for one checkpoint
	Restarts int    // after a crash, within the last AssumedMTBF
	Load
}

// What decided a Choice.
const (
	ByConfig       = "config"       // the interval is fixed
	ByStart        = "start"        // nothing is measured yet
	ByCost         = "cost"         // the optimum
	ByMin          = "min"          // the optimum is below
	ByMax          = "max"          // the optimum is above
	ByRecoveryTime = "recoveryTime" // the objective allows no more
	ByHysteresis   = "hysteresis"   // the optimum is too near to the interval in force
)

// Choice is an interval and what it follows from, for people to read.
type Choice struct {
	Interval time.Duration // in force; 0: only on request
	By       string
	Adaptive *Adaptive // nil if the interval is fixed
	Inputs   Inputs

	MTBF     time.Duration // mean time between failures that the optimum counts on
	Optimum  time.Duration // 0 if the cost is not known
	Recovery Figure        // s: the longest interval that the objective allows
}

const (
	// AssumedMTBF is the time between failures without any that were seen.
	AssumedMTBF = 24 * time.Hour

	startInterval = 10 * time.Second
	costWeight    = 0.2  // of the newest checkpoint in the mean cost
	deadBand      = 1.25 // an optimum within this factor of the interval changes nothing
)

// Choose returns the interval that loses the least time to checkpoints and to what
// is done again after a crash: √(2·C·MTBF) (Young, "A first order approximation to
// the optimum checkpoint interval", 1974), within Min and Max. C is the blocking
// cost alone. Every restart of the last AssumedMTBF lowers the MTBF.
//
// A restarted pipeline has up to one interval of input to catch up with, on top of
// what comes in: (detect + restore) + T·λ/(μ−λ) ≤ RecoveryTime bounds T by
// (RecoveryTime − detect − restore)·(μ−λ)/λ, if all of these are known.
//
// The interval in force stays, so that it does not wander, as long as the optimum is
// within a quarter of it and no bound forbids it.
func Choose(a Adaptive, in Inputs, current time.Duration) Choice {
	c := Choice{Adaptive: &a, Inputs: in, MTBF: AssumedMTBF / time.Duration(1+max(0, in.Restarts)), Recovery: recoveryBound(a, in.Load)}
	least, most := a.Min, max(a.Min, a.Max)
	c.Interval, c.By = current, ByStart
	if current <= 0 {
		c.Interval = startInterval
	}
	if in.Cost.Known {
		c.Optimum = seconds(math.Sqrt(2 * in.Cost.Value * c.MTBF.Seconds()))
		if near(c.Optimum, current) {
			c.By = ByHysteresis
		} else {
			c.Interval, c.By = c.Optimum, ByCost
		}
	}
	if c.Interval > most {
		c.Interval, c.By = most, ByMax
	}
	if c.Recovery.Known && c.Interval > seconds(c.Recovery.Value) {
		c.Interval, c.By = seconds(c.Recovery.Value), ByRecoveryTime
		if slack := float64(current) / float64(c.Interval); current > 0 && slack <= 1 && slack > 1/deadBand {
			c.Interval = current
		}
	}
	if c.Interval < least {
		c.Interval = least
		if c.By != ByRecoveryTime {
			c.By = ByMin
		}
	}
	return c
}

// recoveryBound returns the longest interval in s that the objective allows.
func recoveryBound(a Adaptive, l Load) Figure {
	if a.RecoveryTime <= 0 || !l.Rate.Known || !l.Capacity.Known || !l.Detect.Known || !l.Restore.Known || l.Rate.Value == 0 {
		return Figure{}
	}
	left := a.RecoveryTime.Seconds() - l.Detect.Value - l.Restore.Value
	return Known(max(0, left) * max(0, l.Capacity.Value-l.Rate.Value) / l.Rate.Value)
}

// near says whether a change from one interval to another is not worth it.
func near(to, from time.Duration) bool {
	return from > 0 && float64(to) <= float64(from)*deadBand && float64(from) <= float64(to)*deadBand
}

// seconds converts without overflow.
func seconds(s float64) time.Duration {
	if s >= math.MaxInt64/float64(time.Second) {
		return math.MaxInt64
	}
	return time.Duration(s * float64(time.Second))
}

// mean adds a measurement to an exponentially weighted mean.
func mean(old Figure, value float64) Figure {
	if !old.Known {
		return Known(value)
	}
	return Known(old.Value + costWeight*(value-old.Value))
}
