package scale_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/control/scale"
)

var rewrite = flag.Bool("rewrite", false, "write the time lines anew")

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
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) < 10 {
		t.Fatalf("found %d scripts: %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			script, want, _ := strings.Cut(string(data), "--\n")
			got := play(t, script)
			if *rewrite {
				if err := os.WriteFile(path, []byte(script+"--\n"+got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != want {
				t.Errorf("got:\n%swant:\n%s", got, want)
			}
		})
	}
}

// happening is a line of a script.
type happening struct {
	at   time.Duration
	what []string
}

func play(t *testing.T, script string) string {
	t.Helper()
	var w *world
	var todo []happening
	var end time.Duration
	for line := range strings.Lines(script) {
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || words[0] == "#":
		case words[0] == "for":
			end = duration(t, words[1])
		case strings.Contains(words[0], "="):
			set, begin := settings(t, words)
			w = newWorld(set, begin)
		default:
			todo = append(todo, happening{duration(t, words[0]), words[1:]})
		}
	}
	var out strings.Builder
	turns := turns{lookback: w.set.Lookback}
	for at := time.Duration(0); at <= end; at += w.pace {
		if at > 0 {
			w.pass(w.pace)
		}
		for len(todo) > 0 && todo[0].at <= at {
			w.happens(t, todo[0].what)
			todo = todo[1:]
		}
		before := w.n
		d := w.tick()
		if before > 0 && w.n == 0 && !w.quiet(w.set.Lookback) {
			t.Errorf("%v: it was scaled to zero under load", at)
		}
		if turns.step(at, w.n-before) > 2 && d.Kind != scale.Bounds {
			t.Errorf("%v: it flaps", at)
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
func (w *world) happens(t *testing.T, what []string) {
	t.Helper()
	number := func() float64 {
		f, err := strconv.ParseFloat(what[1], 64)
		if err != nil {
			t.Fatal(err)
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
		w.slow = duration(t, what[1])
	case "jump":
		w.at.Wall += duration(t, what[1])
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
		t.Fatalf("nothing is called %q", what[0])
	}
}

func settings(t *testing.T, words []string) (s scale.Settings, begin int) {
	t.Helper()
	for _, word := range words {
		key, text, _ := strings.Cut(word, "=")
		n, _ := strconv.Atoi(text)
		switch key {
		case "min":
			s.Min = n
		case "max":
			s.Max = n
		case "lookback":
			s.Lookback = duration(t, text)
		case "target":
			s.TargetProcessing = duration(t, text)
		case "up":
			s.CooldownUp = duration(t, text)
		case "down":
			s.CooldownDown = duration(t, text)
		case "stepUp":
			s.StepUp = n
		case "stepDown":
			s.StepDown = n
		case "begin":
			begin = n
		default:
			t.Fatalf("there is no setting %q", key)
		}
	}
	return s, begin
}

func duration(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
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
