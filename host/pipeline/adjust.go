package pipeline

import (
	"errors"
	"slices"
)

// Adjustable says whether Adjust can put settings of a vertex in force.
func (p *Pipeline) Adjustable(v *Vertex) bool {
	i := slices.IndexFunc(p.vertices, func(r running) bool { return r.name == v.Name })
	if i < 0 || v.OnError == OnErrorDeadLetter && !p.graph.hasDeadLetters(v.Name) {
		return false
	}
	return v.Concurrency >= 0 || p.vertices[i].transform == nil
}

// Adjust puts these settings of a vertex in force while it runs, or before: Concurrency,
// MinConcurrency, Call, CallTime, Queue, QueueFull, Processing, Output, OutputFull, Retry,
// OnError and Headers; what else v has means nothing. What is held already stays, also
// where less is allowed now: nothing is added until there is room. Calls under way end.
// It returns false, and changes nothing, if Adjustable does.
func (p *Pipeline) Adjust(v *Vertex) bool {
	if !p.Adjustable(v) {
		return false
	}
	for _, r := range p.vertices {
		if r.name != v.Name {
			continue
		}
		r.policy.Store(policyOf(v))
		if r.in != nil {
			r.in.adjust(v, r.transform != nil)
		}
	}
	return true
}

// adjust changes the limits of an inbox.
func (in *inbox) adjust(v *Vertex, transform bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, l := range in.lanes {
		if l.limit = v.Queue; l.side == nil {
			l.full = v.QueueFull
		}
		l.notFull.Broadcast()
	}
	if !transform {
		return
	}
	in.bound(v)
	in.woken = false
	in.waiting.set(v.Retry)
	if in.keys != nil && v.Concurrency > 0 {
		in.keys.want = in.keys.number(v.Concurrency)
		in.resize()
	}
	in.work.Broadcast()
}

// bound sets the limits of a transform.
func (in *inbox) bound(v *Vertex) {
	in.bounds = bounds{permits: v.Concurrency, call: v.Call, processing: v.Processing, output: v.Output}
	in.full = v.OutputFull
	in.size.target = v.CallTime
	switch {
	case v.MinConcurrency == 0:
		in.limiter = nil
	case in.limiter == nil:
		in.limiter = newLimiter(v.MinConcurrency, v.Concurrency)
	default:
		in.limiter.bound(v.MinConcurrency, v.Concurrency)
	}
}

// bound changes between what the limit is.
func (l *limiter) bound(least, most int) {
	l.min, l.max = least, most
	l.size = min(max(l.size, float64(least)), float64(most))
}

// errWake is why a worker that asked for work is to call Vertex.Wake.
var errWake = errors.New("the vertex is to be woken")

// wakes says whether a vertex without permits has something to do, and somebody is to be
// told of it for the first time.
func (in *inbox) wakes() bool {
	if !in.wakeable || in.woken || in.permits() > 0 {
		return false
	}
	switch {
	case in.pauses() && !in.inOrder:
	case in.redo.len() > 0:
		in.woken = true
	case in.starves() || !in.drains():
	case in.keys != nil && in.keys.free.len()+in.keys.due.len() > 0:
		in.woken = true
	case in.room() && in.waits() != nil:
		in.woken = true
	}
	return in.woken
}

// errShort is why a worker that asked for work is to start another one: there are more
// permits than when they were started.
var errShort = errors.New("there are too few workers")

// short says that a worker is missing, and counts the one that whoever asks starts.
func (in *inbox) short() bool {
	if in.workers > max(in.bounds.permits, in.permits()) {
		return false
	}
	in.workers++
	return true
}
