package supervise

import (
	"fmt"
	"slices"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// Policy says when a worker is started again.
type Policy struct {
	First   time.Duration // the pause before the first restart; each further one is twice as long
	Longest time.Duration // the longest pause
	Healthy time.Duration // a worker that lived as long makes the next pause the first again
	Most    int           // restarts within Window; one more is given up
	Window  time.Duration
}

// DefaultPolicy is what there is no setting for.
func DefaultPolicy() Policy {
	return Policy{First: 500 * time.Millisecond, Longest: time.Minute, Healthy: time.Minute, Most: 10, Window: 10 * time.Minute}
}

// state is what next has to know of the past.
type state struct {
	pauses   int         // since a worker was healthy
	restarts []time.Time // that count, within Policy.Window
}

// verdict is what follows the end of a worker.
type verdict int

const (
	again   verdict = iota // after a pause
	ended                  // the same would come again, or there is nothing more to do
	givenUp                // it died too often
)

// lasting lists the codes after which a restart is of no use: it is done, what the user wrote
// is at fault, another process has taken over, or a second signal ended it.
var lasting = []int{0, stream.ExitInput, stream.ExitFenced, 128 + 2, 128 + 15}

// next decides what follows the end of a worker that lived for a time. random in [0, 1)
// spreads the pause over its second half, so that many that died of one cause do not come
// back at once.
//
// What the environment is at fault for is tried again for ever, as it mends by itself. What
// else goes wrong counts against Most.
func (p Policy) next(s state, e Exit, lived time.Duration, now time.Time, random float64) (state, verdict, time.Duration) {
	if e.Signal == 0 && slices.Contains(lasting, e.Code) {
		return s, ended, 0
	}
	if lived >= p.Healthy {
		s.pauses = 0
	}
	s.restarts = slices.DeleteFunc(slices.Clone(s.restarts), func(at time.Time) bool { return now.Sub(at) >= p.Window })
	if e.Signal != 0 || e.Code != stream.ExitEnvironment {
		if len(s.restarts) >= p.Most {
			return s, givenUp, 0
		}
		s.restarts = append(s.restarts, now)
	}
	pause := p.First
	for range s.pauses {
		if pause *= 2; pause >= p.Longest {
			break
		}
	}
	pause = min(pause, p.Longest)
	s.pauses++
	return s, again, pause/2 + time.Duration(random*float64(pause-pause/2))
}

// why is the reason for giving up.
func (p Policy) why(e Exit) string {
	return fmt.Sprintf("the worker died %d times within %v, and was started again %d times; the last one %v", p.Most+1, p.Window, p.Most, e)
}
