package wasm

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// logWindow counts what the guests of a vertex log in a second.
type logWindow struct {
	mu      sync.Mutex
	began   time.Time     // guarded by mu
	lines   int           // guarded by mu
	dropped int           // guarded by mu
	total   atomic.Uint64 // dropped since the transform began
}

// log passes a line on, unless there were too many in this second. How many
// were dropped is said when the next one begins.
func (v *vertex) log(level stream.GuestLevel, text []byte, perSecond, perLine int) {
	if v.Events.GuestLog != nil {
		v.say(perSecond, func() { v.Events.GuestLog(v.Vertex, level, cut(text, perLine)) })
	}
}

// denied passes on that a request of a guest was denied, as log does with lines.
func (v *vertex) denied(target, why string, perSecond int) {
	if v.Events.RequestDenied != nil {
		v.say(perSecond, func() { v.Events.RequestDenied(v.Vertex, target, why) })
	}
}

// say passes one line on, unless there were too many in this second.
func (v *vertex) say(perSecond int, line func()) {
	v.said.mu.Lock()
	defer v.said.mu.Unlock()
	if now := time.Now(); now.Sub(v.said.began) >= time.Second {
		v.sayDropped(perSecond)
		v.said.began, v.said.lines = now, 0
	}
	if v.said.lines++; v.said.lines > perSecond {
		v.said.dropped++
		v.said.total.Add(1)
		return
	}
	line()
}

// sayDropped says how many lines were dropped, if there were any.
func (v *vertex) sayDropped(perSecond int) {
	if v.said.dropped == 0 || v.Events.GuestLog == nil {
		return
	}
	v.Events.GuestLog(v.Vertex, stream.GuestWarn, fmt.Sprintf("%d lines more than %d per second were dropped (limits.logLines)", v.said.dropped, perSecond))
	v.said.dropped = 0
}
