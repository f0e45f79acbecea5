package process

import (
	"context"
	"fmt"

	"github.com/wasmill/wasmill/host/state"
	"github.com/wasmill/wasmill/host/stream"
)

// What one Advance takes at most.
const (
	maxTimers = 1024
	maxBytes  = 1 << 20
)

// Timers that may fire after the end of the inputs: so many, and so many times those
// that are set then.
const (
	lastTimers = 1000
	lastTimes  = 100
)

// Due implements stream.Keyed. Timers by the clock are due at the end of time as well.
func (t *Transform) Due(from, to int) (least stream.Watermark, ok bool) {
	for g := from; g < to; g++ {
		if at, set := t.event.NextOf(state.Group(g)); set && (!ok || stream.Watermark(at) < least) {
			least, ok = stream.Watermark(at), true
		}
	}
	if !ok {
		least = stream.EndOfTime
		_, ok = t.Alarm(from, to)
	}
	return least, ok
}

// Alarm implements stream.Keyed.
func (t *Transform) Alarm(from, to int) (least int64, ok bool) {
	for g := from; g < to; g++ {
		if at, set := t.clock.NextOf(state.Group(g)); set && (!ok || at < least) {
			least, ok = at, true
		}
	}
	return least, ok
}

// Advance implements stream.Keyed: it takes timers that are due out and adds them to
// in, one of a key at most.
func (t *Transform) Advance(_ context.Context, from, to int, upTo stream.Watermark, now int64, in *stream.Batch, _ *stream.Output) error {
	in.Watermark = upTo
	s := t.session()
	defer t.release(s)
	for g := from; g < to; g++ {
		s.forget()
		for t.take(s, state.Group(g), upTo, now, in) {
			if in.Len() >= maxTimers || in.Bytes() >= maxBytes {
				return t.last(upTo, in.Len())
			}
		}
	}
	return t.last(upTo, in.Len())
}

// take moves the earliest timer of a group that is due to in. It returns false if
// there is none, or if its key has one there already.
func (t *Transform) take(s *Session, g state.Group, upTo stream.Watermark, now int64, in *stream.Batch) bool {
	timers, until, port := t.event, int64(upTo), uint16(stream.EventTimer)
	byEvent, due := t.event.NextOf(g)
	due = due && byEvent <= until
	if byClock, ok := t.clock.NextOf(g); ok && byClock <= now && (!due || byClock < byEvent) {
		timers, until, port = t.clock, now, stream.ClockTimer
	}
	at, key, name, ok := timers.Due(g, until)
	if !ok {
		return false
	}
	again := s.again(key)
	if again {
		s.entry = append(append(s.entry[:0], key...), name...)
		key, name = s.entry[:len(key)], s.entry[len(key):]
		if timers.Set(g, at, key, name) == nil {
			return false
		} // others took the room that it left: it cannot wait
	}
	in.Append(at, key, name, nil)
	r := &in.Records[in.Len()-1]
	r.Source, r.Port, r.Group = stream.NoSource, port, uint16(g)
	return true
}

// last counts timers that fire after the end of the inputs.
func (t *Transform) last(upTo stream.Watermark, fired int) error {
	if upTo != stream.EndOfTime || fired == 0 {
		return nil
	}
	t.ended.Do(func() {
		_, timers := t.Usage()
		t.left.Store(lastTimers + lastTimes*(timers.Keys+int64(fired)))
	})
	if t.left.Add(-int64(fired)) >= 0 {
		return nil
	}
	return &stream.Error{
		Code: stream.GuestLimit, Where: string(t.cfg.Vertex),
		Why: fmt.Sprintf("the plugin goes on setting timers after the end of the stream: more than %d have fired for each that was set then", lastTimes),
		Fix: "let it set none while the watermark of the call is the largest i64: no record will follow",
	}
}
