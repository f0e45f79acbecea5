package scale_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/control/scale"
)

func usual() scale.Settings {
	return scale.Settings{
		Min: 0, Max: 20, Lookback: 30 * time.Second, TargetProcessing: 10 * time.Second,
		CooldownUp: 5 * time.Second, CooldownDown: 10 * time.Second, StepUp: 4, StepDown: 2,
	}
}

// input is 4 instances that have nothing to do.
func input(with ...func(*scale.Input)) scale.Input {
	in := scale.Input{
		Pending: scale.Known[uint64](0), Rate: scale.Known(0.0), Each: scale.Known(10.0), Full: scale.Known(0.0), Instances: 4,
	}
	for _, w := range with {
		w(&in)
	}
	return in
}

func pending(n uint64) func(*scale.Input) {
	return func(in *scale.Input) { in.Pending = scale.Known(n) }
}
func rate(f float64) func(*scale.Input)  { return func(in *scale.Input) { in.Rate = scale.Known(f) } }
func each(f float64) func(*scale.Input)  { return func(in *scale.Input) { in.Each = scale.Known(f) } }
func full(f float64) func(*scale.Input)  { return func(in *scale.Input) { in.Full = scale.Known(f) } }
func instances(n int) func(*scale.Input) { return func(in *scale.Input) { in.Instances = n } }

// TestARule ticks each second with the same input, and looks at the last decision.
func TestARule(t *testing.T) {
	const long = 40 // seconds, more than the lookback
	type inputs = []func(*scale.Input)
	for _, test := range []struct {
		name    string
		set     func(*scale.Settings)
		in      inputs
		seconds int
		want    int
		kind    scale.Kind
	}{
		{"nothing for the whole lookback needs none", nil, inputs{instances(2)}, long, 0, scale.Zero},
		{"nothing for less keeps what there is", nil, inputs{instances(2)}, 29, 2, scale.Lookback},
		{"at least min stay", func(s *scale.Settings) { s.Min = 1 }, inputs{instances(2)}, long, 1, scale.Down},
		{"pending 0 and an unknown rate keep them", nil, inputs{func(in *scale.Input) { in.Rate = scale.Unknown[float64]() }}, long, 4, scale.NotKnown},
		{"unknown pending and rate 0 keep them", nil, inputs{func(in *scale.Input) { in.Pending = scale.Unknown[uint64]() }}, long, 4, scale.NotKnown},
		{"pending without a rate keeps them", nil, inputs{pending(100)}, long, 4, scale.Stuck},
		{"a rate that is no number is not zero", nil, inputs{rate(math.NaN())}, long, 4, scale.NotKnown},
		{"nor is one below", nil, inputs{rate(-1), pending(100)}, long, 4, scale.NotKnown},
		{"a rate of unknown instances keeps them", nil, inputs{rate(100), func(in *scale.Input) { in.Each = scale.Unknown[float64]() }}, long, 4, scale.NotKnown},
		{"instances that do nothing say nothing", nil, inputs{rate(100), each(0)}, long, 4, scale.NotKnown},
		{"nor do those that are not a number", nil, inputs{rate(100), each(math.NaN())}, long, 4, scale.NotKnown},
		{"a rate alone needs who keeps up with it", nil, inputs{rate(35)}, long, 4, scale.Steady},
		{"a little never needs none", nil, inputs{rate(0.01), instances(1)}, long, 1, scale.Steady},
		{"what waits needs more", nil, inputs{rate(35), pending(300)}, 0, 7, scale.Up},
		{"one step at once", nil, inputs{rate(35), pending(3000)}, 0, 8, scale.Up},
		{"one step down at once", nil, inputs{rate(1), instances(9)}, 30, 7, scale.Down},
		{"no more than records", nil, inputs{rate(0.01), pending(5), each(0.01)}, 0, 5, scale.Up},
		{"not beyond max", func(s *scale.Settings) { s.StepUp = math.MaxInt }, inputs{rate(1e6)}, 0, 20, scale.Up},
		{"huge numbers do not turn over", func(s *scale.Settings) { s.StepUp, s.Max = math.MaxInt, math.MaxInt }, inputs{rate(math.MaxFloat64), pending(math.MaxUint64), each(1e-300)}, 0, math.MaxInt, scale.Up},
		{"nor do infinite ones", nil, inputs{rate(math.Inf(1)), pending(1)}, 0, 8, scale.Up},
		{"nor does what is no number", nil, inputs{rate(math.Inf(1)), each(math.Inf(1)), pending(1)}, 0, 8, scale.Up},
		{"a little that is nearly nothing needs one", nil, inputs{rate(1e-300), each(1e300), instances(1)}, long, 1, scale.Steady},
		{"a little leaves min", func(s *scale.Settings) { s.Min = 3 }, inputs{rate(1)}, long, 3, scale.Down},
		{"min is enough for nothing", func(s *scale.Settings) { s.Min = 1 }, inputs{instances(1)}, long, 1, scale.Steady},
		{"nothing more for a full downstream", nil, inputs{rate(1000), full(0.9)}, long, 4, scale.Full},
		{"nor for one that may be full", nil, inputs{rate(1000), func(in *scale.Input) { in.Full = scale.Unknown[float64]() }}, long, 4, scale.NotKnown},
		{"nor for one that is full by no number", nil, inputs{rate(1000), full(math.NaN())}, long, 4, scale.NotKnown},
		{"fewer for a full downstream", nil, inputs{rate(1), full(1)}, long, 2, scale.Down},
		{"what sleeps is left", nil, inputs{instances(0)}, long, 0, scale.Asleep},
		{"what sleeps is woken", nil, inputs{instances(0), pending(3)}, 0, 1, scale.Woken},
		{"though not knowing what", nil, inputs{instances(0), func(in *scale.Input) { in.Pending = scale.Unknown[uint64]() }}, 0, 0, scale.NotKnown},
		{"whatever is full", nil, inputs{instances(0), pending(3), full(1)}, 0, 1, scale.Woken},
		{"whatever is pending", nil, inputs{instances(0), func(in *scale.Input) { in.Awake = true }}, 0, 1, scale.Woken},
		{"to as many as it has at least", func(s *scale.Settings) { s.Max = 3 }, inputs{instances(0), pending(900)}, 0, 1, scale.Woken},
		{"also while it is held", nil, inputs{instances(0), pending(3), func(in *scale.Input) { in.Held = "a swap" }}, 0, 1, scale.Woken},
		{"nothing else is done while it is held", nil, inputs{rate(1000), func(in *scale.Input) { in.Held = "a swap" }}, long, 4, scale.Suspended},
		{"no waking while it is suspended", nil, inputs{instances(0), pending(3), func(in *scale.Input) { in.Suspended = "a pause" }}, long, 0, scale.Suspended},
		{"a phase wins over bounds", func(s *scale.Settings) { s.Min = 6 }, inputs{func(in *scale.Input) { in.Suspended = "a pause" }}, long, 4, scale.Suspended},
		{"bounds are kept at once", func(s *scale.Settings) { s.Min = 11 }, inputs{full(1)}, 0, 11, scale.Bounds},
		{"also above", func(s *scale.Settings) { s.Max = 1 }, inputs{rate(1000)}, 0, 1, scale.Bounds},
		{"also of what sleeps", func(s *scale.Settings) { s.Min = 2 }, inputs{instances(0)}, 0, 2, scale.Bounds},
	} {
		t.Run(test.name, func(t *testing.T) {
			set := usual()
			if test.set != nil {
				test.set(&set)
			}
			s := scale.New(set)
			in := input(test.in...)
			var d scale.Decision
			for n := 0; n <= test.seconds; n++ {
				in.At = at(time.Duration(n) * time.Second)
				if d = s.Tick(in); d.Instances != in.Instances {
					break
				}
			}
			if d.Instances != test.want || d.Kind != test.kind || d.Reason == "" {
				t.Errorf("got %+v, want %d, %s", d, test.want, test.kind)
			}
		})
	}
}

// TestGapsBeginTheLookbackAnew lets nothing come for half a lookback, then something
// happen, and then nothing for as long.
func TestGapsBeginTheLookbackAnew(t *testing.T) {
	for _, test := range []struct {
		name   string
		happen func(*scale.Input)
		zero   bool
	}{
		{"nothing happens", func(*scale.Input) {}, true},
		{"a moment is not known", func(in *scale.Input) { in.Rate = scale.Unknown[float64]() }, false},
		{"pending is not known", func(in *scale.Input) { in.Pending = scale.Unknown[uint64]() }, false},
		{"a record came", rate(0.1), false},
		{"something came of which no more is known", func(in *scale.Input) { in.Rate, in.Each = scale.Known(0.1), scale.Unknown[float64]() }, false},
		{"a record was pending", pending(1), false},
		{"a pause", func(in *scale.Input) { in.Suspended = "a pause" }, false},
		{"a swap", func(in *scale.Input) { in.Held = "a swap" }, false},
		{"nobody looked", func(in *scale.Input) { in.At = at(in.At.Monotonic + time.Minute) }, false},
		{"the wall jumped forward", func(in *scale.Input) { in.At.Wall += time.Hour }, false},
		{"the wall jumped backward", func(in *scale.Input) { in.At.Wall -= time.Hour }, false},
		{"the clock went back", func(in *scale.Input) { in.At = at(0) }, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, now := scale.New(usual()), at(0)
			for n := range 33 {
				in := input(instances(1))
				in.At = now
				if n == 15 {
					test.happen(&in)
				}
				now = scale.Instant{Monotonic: in.At.Monotonic + time.Second, Wall: in.At.Wall + time.Second}
				if d := s.Tick(in); d.Kind == scale.Zero {
					if !test.zero {
						t.Errorf("zero after %d s", n)
					}
					return
				}
			}
			if test.zero {
				t.Error("it never came to zero")
			}
		})
	}
}

// TestWhatWasWokenStaysForALookback falls asleep, is woken, and then nothing comes.
func TestWhatWasWokenStaysForALookback(t *testing.T) {
	s, n := scale.New(usual()), 1
	var changes []int
	for i := range 80 {
		in := input(instances(n))
		if i == 35 {
			in = input(instances(n), pending(1))
		}
		in.At = at(time.Duration(i) * time.Second)
		if d := s.Tick(in); d.Instances != n {
			changes = append(changes, i)
			n = d.Instances
		}
	}
	if want := []int{30, 35, 66}; !slices.Equal(changes, want) {
		t.Errorf("changes at %v, want %v", changes, want)
	}
}

// TestOneChangeWaitsForTheLast goes up twice, and down twice.
func TestOneChangeWaitsForTheLast(t *testing.T) {
	s := scale.New(usual())
	n := 4
	var changes []int
	for i := range 80 {
		in := input(instances(n), rate(150))
		if i > 10 {
			in = input(instances(n), rate(1))
		}
		in.At = at(time.Duration(i) * time.Second)
		if d := s.Tick(in); d.Instances != n {
			changes = append(changes, i)
			n = d.Instances
		}
	}
	if want := []int{0, 5, 10, 41, 51, 61, 71}; !slices.Equal(changes, want) {
		t.Errorf("changes at %v, want %v", changes, want)
	}
}

// TestTheMostOfTheLookbackCounts has a peak now and then.
func TestTheMostOfTheLookbackCounts(t *testing.T) {
	s := scale.New(usual())
	for i := range 100 {
		in := input(rate(5))
		if i%25 == 0 {
			in = input(rate(35))
		}
		in.At = at(time.Duration(i) * time.Second)
		if d := s.Tick(in); d.Instances != 4 {
			t.Fatalf("%d s: %+v", i, d)
		}
	}
}

// TestALongerLookbackIsWaitedFor changes it shortly before it is over.
func TestALongerLookbackIsWaitedFor(t *testing.T) {
	set := usual()
	s := scale.New(set)
	for i := range 100 {
		if i == 29 {
			set.Lookback = time.Minute
			s.Set(set)
		}
		in := input(instances(1))
		in.At = at(time.Duration(i) * time.Second)
		if d := s.Tick(in); d.Kind == scale.Zero {
			if i != 60 {
				t.Errorf("zero after %d s", i)
			}
			return
		}
	}
	t.Error("it never came to zero")
}

func TestEachKindIsListed(t *testing.T) {
	if all := scale.Kinds(); len(all) != 13 || slices.Contains(all, "") {
		t.Errorf("%q", all)
	}
}
