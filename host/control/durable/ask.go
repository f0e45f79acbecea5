package durable

import (
	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/host/stream"
)

// ask is of somebody who waits for a checkpoint.
type ask struct {
	after  stream.Epoch // one that began after this is it
	report func(error)
}

// Checkpoint asks for a checkpoint of what is there now, and does not wait. report is
// called with why each time that one is given up, which is then tried again, and last
// with nil when one is complete that began after the call. It must not block. If the
// run ends before there is no last call.
func (r *Runner) Checkpoint(report func(error)) {
	r.events.push(func(l *loop) { l.ask(report) })
}

// ask begins a checkpoint as soon as the one under way has ended.
func (l *loop) ask(report func(error)) {
	a := ask{report: report}
	if l.last != nil {
		a.after = l.last.Epoch
	}
	l.asked = append(l.asked, a)
	l.step(checkpoint.Requested{})
}

// answer tells those whose checkpoint is complete.
func (l *loop) answer(complete stream.Epoch) {
	var left []ask
	for _, a := range l.asked {
		if complete > a.after {
			a.report(nil)
		} else {
			left = append(left, a)
		}
	}
	l.asked = left
}

// disappoint tells those whose checkpoint was given up.
func (l *loop) disappoint(e stream.Epoch, err error) {
	for _, a := range l.asked {
		if e > a.after {
			a.report(err)
		}
	}
}
