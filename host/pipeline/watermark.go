package pipeline

import "github.com/wasmill/wasmill/host/stream"

// watermarks is the event time of a vertex: the least of what its inputs promise
// and of what is in flight. It is stepped with events and has no lock and no
// clock. A source has one input, its own reading. The zero value has none.
//
//   - An idle input holds nothing back. One that comes back behind the others
//     holds the result where it is until it has caught up.
//   - An input that promised stream.EndOfTime no longer counts: if the others are
//     idle, time must not end for them. It ends when all have.
//   - If all inputs that count are idle, the furthest of them is the result, as in
//     the valve of Apache Flink: nothing is known that the others would add.
//
// What has ended stays in the heap until it is the least, or until half of the
// heap is such, so that one slow call does not keep what passes it.
type watermarks struct {
	inputs []input
	flight heap[handle]     // by event time
	ended  []bool           // by handle; it is in the heap only
	stale  int              // how many of the heap have ended
	free   []handle         // that are not in the heap
	past   stream.Watermark // the last result, if known
	known  bool
}

// input is one inbound edge.
type input struct {
	promised stream.Watermark
	idle     bool
}

// handle names something in flight between its begin and its end.
type handle int32

// addInput returns the index of a new input, which is active and promises nothing.
func (w *watermarks) addInput() int {
	w.inputs = append(w.inputs, input{promised: stream.NoWatermark})
	return len(w.inputs) - 1
}

// promise raises what an input promises; a lower promise is ignored.
func (w *watermarks) promise(i int, t stream.Watermark) {
	w.inputs[i].promised = max(w.inputs[i].promised, t)
}

// idle says that nothing has come from an input for a while.
func (w *watermarks) idle(i int) { w.inputs[i].idle = true }

// active says that something came from an input.
func (w *watermarks) active(i int) { w.inputs[i].idle = false }

// begin says that something is in flight whose least event time is t.
func (w *watermarks) begin(t int64) handle {
	h := handle(len(w.ended))
	if n := len(w.free); n > 0 {
		h, w.free = w.free[n-1], w.free[:n-1]
		w.ended[h] = false
	} else {
		w.ended = append(w.ended, false)
	}
	w.flight.push(t, h)
	return h
}

// end says that what begin returned a handle for has left the vertex. The handle
// is used again.
func (w *watermarks) end(h handle) {
	if w.ended[h] {
		panic("BUG: left a vertex twice")
	}
	w.ended[h] = true
	w.stale++
	for len(w.flight) > 0 && w.ended[w.flight[0].value] {
		w.forget(w.flight.pop())
	}
	if w.stale > 32 && w.stale > len(w.flight)/2 {
		w.flight.retain(func(h handle) bool {
			if w.ended[h] {
				w.forget(h)
				return false
			}
			return true
		})
	}
}

// forget frees a handle that has left the heap.
func (w *watermarks) forget(h handle) {
	w.stale--
	w.free = append(w.free, h)
}

// low returns the watermark of the vertex, which never goes back, and whether
// the vertex is idle: every input that may still bring something is, and nothing
// is in flight, for which those downstream have to wait.
func (w *watermarks) low() (t stream.Watermark, idle bool) {
	least, furthest := stream.EndOfTime, stream.NoWatermark
	counted, active := 0, 0
	for _, in := range w.inputs {
		if in.promised == stream.EndOfTime {
			continue
		}
		counted++
		furthest = max(furthest, in.promised)
		if !in.idle {
			active++
			least = min(least, in.promised)
		}
	}
	rest := counted > 0 && active == 0
	switch {
	case len(w.inputs) == 0:
		least = stream.NoWatermark
	case rest:
		least = furthest
	}
	if len(w.flight) > 0 {
		least = min(least, stream.Watermark(w.flight[0].key))
	}
	if !w.known || least > w.past {
		w.past, w.known = least, true
	}
	return w.past, rest && len(w.flight) == 0
}
