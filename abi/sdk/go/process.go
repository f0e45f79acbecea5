package wasmill

import (
	"encoding/binary"
	"math"
	"time"
)

// A plugin of kind process has state and timers by key, which the host keeps, ABI.md §5.2.
// Copy process.go, process_wasm.go and process_native.go too. This one counts the visits of
// each key, and says how many they were when none came for a minute:
//
//	var count = wasmill.Int("count")
//
//	func init() {
//		wasmill.Process(`{"name": "visits", "kind": "process"}`, visit)
//		wasmill.Timers(silent)
//	}
//
//	func main() {} // not called
//
//	func visit(r *wasmill.Record, s *wasmill.State, _ *wasmill.Output) error {
//		n, _ := count.Get(s)
//		count.Put(s, n+1)
//		s.SetTimer(wasmill.EventTime, "silent", r.Time+int64(time.Minute))
//		return nil
//	}
//
//	func silent(t *wasmill.Timer, s *wasmill.State, out *wasmill.Output) error {
//		n, _ := count.Get(s)
//		count.Delete(s)
//		out.Buf = strconv.AppendInt(out.Buf, n, 10)
//		t.Value = out.Take()
//		out.Emit(&t.Record)
//		return nil
//	}
//
// The vertex names the key: `key: {json: user}`. What a call wrote is forgotten if one of its
// records fails; the others come again.

// Process makes f the function of the plugin, as Map does.
func Process(description string, f func(r *Record, s *State, out *Output) error) {
	Map(description, func(r *Record, out *Output) error {
		state.begin(r, out)
		if out.kind == 0 {
			return f(r, &state, out)
		}
		fired = Timer{Record: *r, Clock: Clock(out.kind - 1), Name: r.Value}
		return fire(&fired, &state, out)
	})
	kinds = 2
}

// Timers has f called with timers that fire. Call it in an init function, too.
func Timers(f func(t *Timer, s *State, out *Output) error) { fire = f }

var (
	state State
	fired Timer
	fire  = func(*Timer, *State, *Output) error { return nil }
)

// Ended says that no record will follow: a plugin that sets a timer each time one fires
// stops then.
func (o *Output) Ended() bool { return o.Watermark == math.MaxInt64 }

// Clock is what a timer goes by.
type Clock uint32

// The clocks: the watermark, and the one on the wall.
const (
	EventTime Clock = 0
	WallClock Clock = 1
)

// Timer is one that fires. Its Record has the key that it was set for, and as Time when it
// was to fire; it is yours to change and emit.
type Timer struct {
	Record
	Clock Clock
	Name  []byte
}

// Value is something under a name that is more than bytes. Encode appends a value to dst;
// Decode may keep nothing of its argument.
type Value[T any] struct {
	Name   string
	TTL    time.Duration // in event time from the record on that puts it; 0 = until it is deleted
	Encode func(dst []byte, v T) []byte
	Decode func(b []byte) T
}

// Int is a number under a name.
func Int(name string) Value[int64] {
	return Value[int64]{
		Name:   name,
		Encode: func(dst []byte, v int64) []byte { return binary.LittleEndian.AppendUint64(dst, uint64(v)) },
		Decode: func(b []byte) int64 { return int64(binary.LittleEndian.Uint64(b)) },
	}
}

// String is a text under a name.
func String(name string) Value[string] {
	return Value[string]{
		Name:   name,
		Encode: func(dst []byte, v string) []byte { return append(dst, v...) },
		Decode: func(b []byte) string { return string(b) },
	}
}

// Get returns the value for the key of the record in hand, and false if there is none.
func (v *Value[T]) Get(s *State) (value T, ok bool) {
	b, ok := s.Get(v.Name)
	if ok {
		value = v.Decode(b)
	}
	return value, ok
}

// Put sets it.
func (v *Value[T]) Put(s *State, value T) {
	s.encoded = v.Encode(s.encoded[:0], value)
	s.Put(v.Name, s.encoded, v.TTL)
}

// Delete removes it.
func (v *Value[T]) Delete(s *State) { s.Delete(v.Name) }
