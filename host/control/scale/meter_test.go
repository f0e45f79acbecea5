package scale_test

import (
	"math"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/control/scale"
)

// read is a sample: when, by how much the wall was off then, and the counter; below 0 it
// was not read.
type read struct {
	at, off time.Duration
	count   float64
}

func at(d time.Duration) scale.Instant { return scale.Instant{Monotonic: d, Wall: d} }

func TestARateIsKnownOrNot(t *testing.T) {
	const s, unknown = time.Second, -1.0
	for _, test := range []struct {
		name    string
		samples []read
		now     scale.Instant
		rate    float64
	}{
		{"without a sample it is not known", nil, at(0), unknown},
		{"with one sample it is not known", []read{{0, 0, 7}}, at(0), unknown},
		{"two samples have one", []read{{0, 0, 7}, {2 * s, 0, 27}}, at(2 * s), 10},
		{"a counter that stands still has zero", []read{{0, 0, 7}, {2 * s, 0, 7}}, at(2 * s), 0},
		{"a rate of before is not one of now", []read{{0, 0, 7}, {2 * s, 0, 27}}, at(3 * s), unknown},
		{"a counter that went back was begun anew", []read{{0, 0, 7}, {s, 0, 17}, {2 * s, 0, 3}}, at(2 * s), unknown},
		{"and has a rate when it was read again", []read{{0, 0, 7}, {s, 0, 17}, {2 * s, 0, 3}, {3 * s, 0, 8}}, at(3 * s), 5},
		{"what was not read says nothing", []read{{0, 0, 10}, {s, 0, -1}, {2 * s, 0, 30}}, at(2 * s), 10},
		{"and is not zero", []read{{0, 0, 10}, {s, 0, 20}, {2 * s, 0, -1}}, at(2 * s), unknown},
		{"over a gap there is none", []read{{0, 0, 10}, {6 * s, 0, 70}}, at(6 * s), unknown},
		{"a wall that jumps forward leaves a gap", []read{{0, 0, 10}, {s, 0, 20}, {2 * s, time.Hour, 30}}, scale.Instant{Monotonic: 2 * s, Wall: 2*s + time.Hour}, unknown},
		{"a wall that jumps backward leaves a gap", []read{{0, 0, 10}, {s, 0, 20}, {2 * s, -time.Hour, 30}}, scale.Instant{Monotonic: 2 * s, Wall: 2*s - time.Hour}, unknown},
		{"a wall that jumped since leaves a gap", []read{{0, 0, 10}, {s, 0, 20}}, scale.Instant{Monotonic: s, Wall: time.Hour}, unknown},
		{"a wall that is set a little does not", []read{{0, 0, 10}, {2 * s, s / 2, 30}}, scale.Instant{Monotonic: 2 * s, Wall: 2*s + s/2}, 10},
		{"a monotonic clock that goes back is none", []read{{3 * s, 0, 10}, {2 * s, 0, 20}}, at(2 * s), unknown},
		{"a moment after the first is no time for one", []read{{0, 0, 7}, {3 * time.Millisecond, 0, 7}}, at(3 * time.Millisecond), unknown},
		{"nor are many moments", []read{{0, 0, 7}, {s / 4, 0, 500}, {s / 3, 0, 500}}, at(s / 3), unknown},
		{"though it is one after more", []read{{0, 0, 7}, {s, 0, 17}, {s + 3*time.Millisecond, 0, 17}}, at(s + 3*time.Millisecond), 10 / 1.003},
		{"the same moment twice is one", []read{{0, 0, 10}, {0, 0, 20}}, at(0), unknown},
		{"what is older than the window does not count", []read{{0, 0, 0}, {4 * s, 0, 400}, {8 * s, 0, 400}, {12 * s, 0, 400}, {16 * s, 0, 480}}, at(16 * s), 80.0 / 12},
		{"huge counters have a rate", []read{{0, 0, 0}, {s, 0, math.MaxUint64 / 2}}, at(s), math.MaxUint64 / 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := scale.NewMeter(10 * s)
			for _, r := range test.samples {
				c := scale.Unknown[uint64]()
				if r.count >= 0 {
					c = scale.Known(uint64(r.count))
				}
				m.Add(scale.Instant{Monotonic: r.at, Wall: r.at + r.off}, c)
			}
			got, ok := m.Rate(test.now).Value()
			if !ok {
				got = unknown
			}
			if math.Abs(got-test.rate) > 1e-9*math.Abs(test.rate) {
				t.Errorf("got %v, want %v", got, test.rate)
			}
		})
	}
}

func TestAMeterThatIsResetHasNoRate(t *testing.T) {
	m := scale.NewMeter(time.Minute)
	m.Add(at(0), scale.Known[uint64](5))
	m.Reset()
	m.Add(at(time.Second), scale.Known[uint64](50))
	if r, ok := m.Rate(at(time.Second)).Value(); ok {
		t.Errorf("it has %v", r)
	}
}

func TestOneCounterIsComparedWithAnother(t *testing.T) {
	done, busy := scale.NewMeter(time.Minute), scale.NewMeter(time.Minute)
	now := at(0)
	if _, ok := done.Per(busy, now).Value(); ok {
		t.Error("known without a sample")
	}
	for _, test := range []struct {
		done, busy uint64
		want       scale.Metric[float64]
	}{
		{10, 100, scale.Unknown[float64]()},
		{20, 100, scale.Unknown[float64]()}, // that stands still
		{40, 110, scale.Known(3.0)},
		{50, 5, scale.Unknown[float64]()},  // that was begun anew
		{60, 10, scale.Unknown[float64]()}, // they are not of the same time
	} {
		now.Monotonic, now.Wall = now.Monotonic+time.Second, now.Wall+time.Second
		done.Add(now, scale.Known(test.done))
		busy.Add(now, scale.Known(test.busy))
		if got := done.Per(busy, now); got != test.want {
			t.Errorf("%d per %d: got %v, want %v", test.done, test.busy, got, test.want)
		}
	}
}

func TestMomentsAreByBothClocks(t *testing.T) {
	start := time.Now()
	if got := scale.At(start, start.Add(time.Second)); got != at(time.Second) {
		t.Errorf("got %v", got)
	}
}
