package scale_test

import (
	"math"
	"time"

	"github.com/wasmill/wasmill/host/control/scale"
)

// world is a vertex in a pipeline, with a clock that moves when it is told to.
type world struct {
	scaler  *scale.Scaler
	taken   *scale.Meter
	done    *scale.Meter
	busy    *scale.Meter
	set     scale.Settings
	at      scale.Instant
	pace    time.Duration
	load    float64       // records a second that come
	each    float64       // records a second that an instance does
	slow    time.Duration // until a new instance works
	drains  float64       // records a second that go out downstream
	room    float64       // records that fit in downstream
	blind   bool          // the fullness is not known
	hidden  bool          // pending is not known
	missed  bool          // the counters are not read
	paused  string
	swaps   string
	news    []time.Duration // when instances that are starting work
	n       int             // instances that work, or start
	coming  float64         // less than a record
	pending float64         // and in calls
	seen    uint64          // of counts, by the meter
	queued  float64         // downstream
	counts  [3]float64
	came    []float64 // of the steps of late
	last    scale.Decision
}

func newWorld(set scale.Settings, instances int) *world {
	return &world{
		scaler: scale.New(set), taken: scale.NewMeter(min(10*time.Second, set.Lookback)), done: scale.NewMeter(set.Lookback), busy: scale.NewMeter(set.Lookback),
		set: set, pace: time.Second, each: 10, drains: math.Inf(1), room: 100, n: instances,
	}
}

// pass lets time pass for the vertex.
func (w *world) pass(d time.Duration) {
	w.at.Monotonic += d
	w.at.Wall += d
	s := d.Seconds()
	w.coming += w.load * s
	came := math.Floor(w.coming)
	w.coming -= came
	w.came = append(w.came, came)
	w.pending += came
	for len(w.news) > 0 && w.news[0] <= w.at.Monotonic {
		w.news = w.news[1:]
	}
	works := max(0, w.n-len(w.news))
	did := min(w.pending, float64(works)*w.each*s, w.room-w.queued+w.drains*s)
	if w.paused != "" {
		did = 0
	}
	w.pending -= did
	w.queued = max(0, w.queued+did-w.drains*s)
	w.counts[0] += did
	w.counts[1] += did
	w.counts[2] += did / w.each * 1e9
}

// tick measures and decides, and does what was decided.
func (w *world) tick() scale.Decision {
	for i, m := range []*scale.Meter{w.taken, w.done, w.busy} {
		c := scale.Known(uint64(math.Ceil(w.counts[i])))
		if w.missed {
			c = scale.Unknown[uint64]()
		}
		if n, ok := c.Value(); ok && i == 0 {
			w.seen = n
		}
		m.Add(w.at, c)
	}
	in := scale.Input{
		At: w.at, Rate: w.taken.Rate(w.at), Instances: w.n, Suspended: w.paused, Held: w.swaps,
		Pending: scale.Known(uint64(math.Ceil(w.pending))), Full: scale.Known(w.queued / w.room),
	}
	if per, ok := w.done.Per(w.busy, w.at).Value(); ok {
		in.Each = scale.Known(per * 1e9)
	}
	if w.hidden {
		in.Pending = scale.Unknown[uint64]()
	}
	if w.blind {
		in.Full = scale.Unknown[float64]()
	}
	w.last = w.scaler.Tick(in)
	for range w.last.Instances - w.n {
		w.news = append(w.news, w.at.Monotonic+w.slow)
	}
	w.n = w.last.Instances
	w.news = w.news[:min(len(w.news), w.n)]
	return w.last
}

// restart begins the counters anew, and says so or not.
func (w *world) restart(told bool) {
	w.counts = [3]float64{}
	if told {
		for _, m := range []*scale.Meter{w.taken, w.done, w.busy} {
			m.Reset()
		}
	}
}

// quiet says whether nothing came for this time, and nothing is pending.
func (w *world) quiet(d time.Duration) bool {
	for _, came := range w.came[max(0, len(w.came)-int(d/w.pace)):] {
		if came > 0 {
			return false
		}
	}
	return w.pending == 0
}
