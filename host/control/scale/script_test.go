package scale_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/control/scale"
	"github.com/wasmill/wasmill/host/stream/scripttest"
)

// TestTimeLines runs the scripts of testdata. A script has settings, what happens when, and
// how long it goes on; below "--" stands what came of it:
//
//	# words
//	min=0 max=8 lookback=30s target=5s up=5s down=10s stepUp=2 stepDown=2 begin=1
//	20s load 50
//	for 2m
//	--
//	a line each 10 s, and one for each change: when, what comes in a second, what is
//	pending, a # for each instance, and why
//
// In none of them is there flapping, or a step to zero under load.
func TestTimeLines(t *testing.T) {
	scripttest.Run(t, "testdata/*.txt", 10, func(s *scripttest.Script, text string) string {
		script, _, _ := strings.Cut(text, "--\n")
		return script + "--\n" + play(s, script)
	})
}

// happening is a line of a script.
type happening struct {
	at   time.Duration
	what []string
}

func play(s *scripttest.Script, script string) string {
	s.Helper()
	var w *world
	var todo []happening
	var end time.Duration
	for line := range strings.Lines(script) {
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || words[0] == "#":
		case words[0] == "for":
			end = s.Duration(words[1])
		case strings.Contains(words[0], "="):
			set, begin := settings(s, words)
			w = newWorld(set, begin)
		default:
			todo = append(todo, happening{s.Duration(words[0]), words[1:]})
		}
	}
	var out strings.Builder
	turns := turns{lookback: w.set.Lookback}
	for at := time.Duration(0); at <= end; at += w.pace {
		if at > 0 {
			w.pass(w.pace)
		}
		for len(todo) > 0 && todo[0].at <= at {
			w.happens(s, todo[0].what)
			todo = todo[1:]
		}
		before := w.n
		d := w.tick()
		if before > 0 && w.n == 0 && !w.quiet(w.set.Lookback) {
			s.Errorf("%v: it was scaled to zero under load", at)
		}
		if turns.step(at, w.n-before) > 2 && d.Kind != scale.Bounds {
			s.Errorf("%v: it flaps", at)
		}
		if at%(10*time.Second) == 0 || w.n != before {
			pending := fmt.Sprintf("%.0f", w.pending)
			if w.hidden {
				pending = "?"
			}
			fmt.Fprintf(&out, "%6s %5.0f/s %6s  %-8s  %-9s %s\n", at, w.load, pending, strings.Repeat("#", w.n), d.Kind, d.Reason)
		}
	}
	return out.String()
}

// happens lets something happen.
func (w *world) happens(s *scripttest.Script, what []string) {
	s.Helper()
	number := func() float64 {
		f, err := strconv.ParseFloat(what[1], 64)
		if err != nil {
			s.Fatal(err)
		}
		return f
	}
	on := len(what) < 2 || what[1] == "on"
	switch what[0] {
	case "load":
		w.load = number()
	case "burst":
		w.pending += number()
		w.came[len(w.came)-1] += number()
	case "each":
		w.each = number()
	case "drains":
		w.drains = number()
	case "slow":
		w.slow = s.Duration(what[1])
	case "jump":
		w.at.Wall += s.Duration(what[1])
	case "restart":
		w.restart(false)
	case "hidden":
		w.hidden = on
	case "missed":
		w.missed = on
	case "pause":
		w.paused = "the pipeline is pausing"
	case "resume":
		w.paused = ""
	case "min", "max":
		if n := int(number()); what[0] == "min" {
			w.set.Min = n
		} else {
			w.set.Max = n
		}
		w.scaler.Set(w.set)
	default:
		s.Fatalf("nothing is called %q", what[0])
	}
}

func settings(s *scripttest.Script, words []string) (set scale.Settings, begin int) {
	s.Helper()
	for _, word := range words {
		key, text, _ := strings.Cut(word, "=")
		n, _ := strconv.Atoi(text)
		switch key {
		case "min":
			set.Min = n
		case "max":
			set.Max = n
		case "lookback":
			set.Lookback = s.Duration(text)
		case "target":
			set.TargetProcessing = s.Duration(text)
		case "up":
			set.CooldownUp = s.Duration(text)
		case "down":
			set.CooldownDown = s.Duration(text)
		case "stepUp":
			set.StepUp = n
		case "stepDown":
			set.StepDown = n
		case "begin":
			begin = n
		default:
			s.Fatalf("there is no setting %q", key)
		}
	}
	return set, begin
}

// turns counts changes of direction.
type turns struct {
	lookback time.Duration
	up, any  bool // the last change
	at       []time.Duration
}

// step takes a change, and returns how many changes of direction there were in the
// lookback.
func (t *turns) step(at time.Duration, by int) int {
	if by != 0 {
		if up := by > 0; t.any && up != t.up {
			t.at = append(t.at, at)
		}
		t.up, t.any = by > 0, true
	}
	for len(t.at) > 0 && at-t.at[0] > t.lookback {
		t.at = t.at[1:]
	}
	return len(t.at)
}
