package pipeline

import (
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/host/stream"
)

// plainWatermarks is what watermarks should do, by looking at everything each time.
type plainWatermarks struct {
	promised []stream.Watermark
	idle     []bool
	flight   map[handle]int64
	result   stream.Watermark
}

func (m *plainWatermarks) low() (stream.Watermark, bool) {
	var active, idle []stream.Watermark
	for i, p := range m.promised {
		switch {
		case p == stream.EndOfTime:
		case m.idle[i]:
			idle = append(idle, p)
		default:
			active = append(active, p)
		}
	}
	t := stream.NoWatermark
	switch {
	case len(active) > 0:
		t = active[0]
		for _, p := range active {
			t = min(t, p)
		}
	case len(idle) > 0:
		for _, p := range idle {
			t = max(t, p)
		}
	case len(m.promised) > 0:
		t = stream.EndOfTime
	}
	for _, f := range m.flight {
		t = min(t, stream.Watermark(f))
	}
	m.result = max(m.result, t)
	return m.result, len(active) == 0 && len(idle) > 0 && len(m.flight) == 0
}

func TestWatermarksAgreeWithAListScan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var w watermarks
		m := &plainWatermarks{flight: map[handle]int64{}, result: stream.NoWatermark}
		var open []handle
		pick := func(t *rapid.T) int {
			if len(m.promised) == 0 {
				t.Skip("no input")
			}
			return rapid.IntRange(0, len(m.promised)-1).Draw(t, "input")
		}
		begin := func(t *rapid.T) {
			at := rapid.Int64Range(-50, 200).Draw(t, "time")
			h := w.begin(at)
			if _, taken := m.flight[h]; taken {
				t.Fatalf("handle %d was given out twice", h)
			}
			m.flight[h] = at
			open = append(open, h)
		}
		end := func(t *rapid.T) {
			if len(open) == 0 {
				t.Skip("nothing in flight")
			}
			i := rapid.IntRange(0, len(open)-1).Draw(t, "which")
			h := open[i]
			open[i] = open[len(open)-1]
			open = open[:len(open)-1]
			delete(m.flight, h)
			w.end(h)
		}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				if len(m.promised) == 5 {
					t.Skip("enough inputs")
				}
				if i := w.addInput(); i != len(m.promised) {
					t.Fatalf("input %d, want %d", i, len(m.promised))
				}
				m.promised, m.idle = append(m.promised, stream.NoWatermark), append(m.idle, false)
			},
			"promise": func(t *rapid.T) {
				i, p := pick(t), stream.Watermark(rapid.Int64Range(-50, 200).Draw(t, "promise"))
				w.promise(i, p)
				m.promised[i] = max(m.promised[i], p)
			},
			"finish": func(t *rapid.T) {
				i := pick(t)
				w.promise(i, stream.EndOfTime)
				m.promised[i] = stream.EndOfTime
			},
			"idle":   func(t *rapid.T) { i := pick(t); w.idle(i); m.idle[i] = true },
			"active": func(t *rapid.T) { i := pick(t); w.active(i); m.idle[i] = false },
			"begin":  begin,
			"end":    end,
			"a hundred begin": func(t *rapid.T) {
				for range 100 {
					begin(t)
				}
			},
			"all but one end": func(t *rapid.T) {
				for len(open) > 1 {
					end(t)
				}
			},
			"": func(t *rapid.T) {
				got, gotIdle := w.low()
				want, wantIdle := m.low()
				if got != want || gotIdle != wantIdle {
					t.Fatalf("low is %d, %v instead of %d, %v", got, gotIdle, want, wantIdle)
				}
				if max := 2*len(open) + 66; len(w.flight) > max {
					t.Fatalf("%d in the heap for %d in flight", len(w.flight), len(open))
				}
			},
		})
	})
}

func TestWatermarksDoNotEndTimeForAnIdleInput(t *testing.T) {
	var w watermarks
	a, b := w.addInput(), w.addInput()
	w.promise(a, 10)
	w.promise(b, 7)
	w.idle(b)
	if low, idle := w.low(); low != 10 || idle {
		t.Errorf("low is %d, %v with one of two idle, want 10", low, idle)
	}
	w.promise(a, stream.EndOfTime)
	if low, idle := w.low(); low != 10 || !idle {
		t.Errorf("low is %d, %v with one ended and one idle, want 10 and idle", low, idle)
	}
	w.promise(b, stream.EndOfTime)
	if low, idle := w.low(); low != stream.EndOfTime || idle {
		t.Errorf("low is %d, %v with both ended", low, idle)
	}
}

func TestWatermarksRefuseASecondEnd(t *testing.T) {
	var w watermarks
	w.begin(1)
	h := w.begin(2)
	w.end(h)
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	w.end(h)
}

// BenchmarkWatermarks is one begin, end and low while 1000 others are in flight.
func BenchmarkWatermarks(b *testing.B) {
	for _, shape := range []string{"in order", "one is stuck", "random"} {
		b.Run(shape, func(b *testing.B) {
			var w watermarks
			w.promise(w.addInput(), stream.EndOfTime-1)
			r := rand.New(rand.NewPCG(1, 2))
			if shape == "one is stuck" {
				w.begin(-1)
			}
			var open [1000]handle
			step := func(i int) {
				at := int64(i)
				if shape == "random" {
					at += r.Int64N(10_000)
				}
				j := i % len(open)
				if i >= len(open) {
					w.end(open[j])
				}
				open[j] = w.begin(at)
				w.low()
			}
			for i := range 10_000 {
				step(i)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				step(i + 10_000)
			}
		})
	}
}
