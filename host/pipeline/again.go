package pipeline

import (
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// split makes a call of some inputs of c, which are in a batch of their own now.
func (in *inbox) split(c *call, b *stream.Batch) *call {
	in.mu.Lock()
	defer in.mu.Unlock()
	n := in.flight.split(c, b)
	in.processing.sub(c.size)
	c.size, n.size = sizeOf(c.in), sizeOf(b)
	in.processing.add(c.size)
	in.processing.add(n.size)
	return n
}

// repeat lets a call be made as soon as there is a permit. One that has a slot is
// made when the one before it in that slot is done.
func (in *inbox) repeat(c *call) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if c.slot != nil {
		return
	}
	*in.redo.push() = c
	if in.startable() {
		in.work.Signal()
	}
}

// retry lets a call that failed be made again after a while, and takes its permit
// back if it has one. It returns false if it was the last attempt.
func (in *inbox) retry(c *call, permit bool) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	c.attempts++
	if !in.waiting.add(c, c.size, c.attempts, time.Now()) {
		return false
	}
	in.stats.retries.Add(1)
	if permit {
		in.ended(c)
	}
	in.schedule()
	if in.startable() {
		in.work.Signal()
	}
	return true
}

// longestSleep is how late an alarm may go after the clock was set forward, which
// sleeping does not notice.
const longestSleep = time.Minute

// schedule wakes somebody up when the first of those that wait is due, or the
// first alarm goes.
func (in *inbox) schedule() {
	at, any := in.waiting.next()
	if g := in.gate; g != nil && g.alarm < noAlarm {
		if alarm := time.Unix(0, g.alarm); !any || alarm.Before(at) {
			at, any = alarm, true
		}
	}
	if !any || in.aborted != nil {
		return
	}
	sleep := min(time.Until(at), longestSleep)
	if in.wake == nil {
		in.wake = time.AfterFunc(sleep, in.rise)
		return
	}
	in.wake.Reset(sleep)
}

// rise moves calls that are due to be made again, and slots whose alarm went.
func (in *inbox) rise() {
	in.mu.Lock()
	defer in.mu.Unlock()
	for {
		c, _, ok := in.waiting.due(time.Now())
		if !ok {
			break
		}
		*in.redo.push() = c
		in.work.Signal()
	}
	if g := in.gate; g != nil && g.alarm <= clock() {
		in.ring()
	}
	in.schedule()
}
