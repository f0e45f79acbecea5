package pipeline

import (
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// split makes a call of some inputs of c, which are in a batch of their own now.
func (in *inbox) split(c *call, b *stream.Batch) *call {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.divide(c, b)
}

func (in *inbox) divide(c *call, b *stream.Batch) *call {
	n := in.flight.split(c, b)
	in.processing.sub(c.size)
	c.size, c.holds, n.size = sizeOf(c.in), viewOf(c.in), sizeOf(b)
	in.processing.add(c.size)
	in.processing.add(n.size)
	return n
}

// setApart leaves some records to a call, and makes calls of the others, which are
// in batches of their own now, to be made after a while.
func (in *inbox) setApart(c *call, kept []stream.Record, others []*stream.Batch) {
	in.mu.Lock()
	defer in.mu.Unlock()
	c.in.Records = kept
	for _, b := range others {
		if one := in.divide(c, b); !in.park(one, false) { // attempts were lowered meanwhile
			*in.redo.push() = one
		}
	}
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
	return in.park(c, permit)
}

func (in *inbox) park(c *call, permit bool) bool {
	c.attempts++
	if !in.waiting.add(c, c.size, c.attempts, time.Now()) {
		return false
	}
	in.stats.retries.Add(1)
	if permit {
		in.ended(c)
	}
	in.part(c)
	in.schedule()
	if in.startable() {
		in.work.Signal()
	}
	return true
}

// part lets what came of the time in a call leave, which is done, before the rest.
func (in *inbox) part(c *call) {
	if c.own == nil {
		return
	}
	b := in.pool.New()
	b.Least = int64(in.flight.watermarks.inputs[0].promised)
	n := in.flight.begin(c.taken, b)
	n.stage, n.size, n.out.Batch, c.own = StageOutput, sizeOf(c.own), c.own, nil
	in.output.add(n.size)
	if in.inOrder {
		in.early.add(n.size)
		in.hand()
		return
	}
	*in.ready.push() = n
	in.work.Signal()
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
