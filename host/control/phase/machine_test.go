package phase

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
)

var rewrite = flag.Bool("rewrite", false, "write the expected parts of the scripts anew")

// A script says first whether there are checkpoints. Each further line is a time and an
// event; the indented lines below are its actions. "status" is no event and shows the
// status. What is left is written as vertex:what=n,…
func TestMachineScripts(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) < 10 {
		t.Fatalf("%d scripts, %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got := (&script{t: t}).run(string(data))
			if *rewrite {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != string(data) {
				t.Errorf("%s differs; got\n%s", path, got)
			}
		})
	}
}

type script struct {
	t   *testing.T
	m   *Machine
	out strings.Builder
}

// midnight is the origin of the times of scripts; it has no monotonic reading.
var midnight = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func (s *script) run(text string) string {
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "  "):
			continue
		case len(words) == 0 || words[0] == "#":
			s.out.WriteString(line)
		case words[0] == "checkpoints":
			s.out.WriteString(line)
			s.m = NewMachine(words[1] == "yes")
		case words[0] == "status":
			s.out.WriteString(line)
			s.status()
		default:
			s.out.WriteString(line)
			for _, a := range s.m.Step(midnight.Add(s.duration(words[0])), s.parse(words[1], words[2:])) {
				fmt.Fprintf(&s.out, "  %s\n", render(a))
			}
		}
	}
	return s.out.String()
}

func (s *script) status() {
	st := s.m.Status()
	fmt.Fprintf(&s.out, "  desired %s, %s since %v, drained %v\n", st.Desired, st.Actual, st.Since.Sub(midnight), st.Drained)
	for _, r := range st.Reasons {
		mark := "for information"
		if r.Hinders {
			mark = "hinders"
		}
		fmt.Fprintf(&s.out, "  %s, %s\n", r, mark)
	}
}

func (s *script) parse(name string, args []string) Event {
	switch name {
	case "desired":
		return Desired{Phase(args[0]), s.duration(args[1])}
	case "tick":
		var t Tick
		for _, arg := range args {
			t.Left = append(t.Left, s.left(arg))
		}
		return t
	case "done":
		return CheckpointDone{s.number(args[0])}
	case "failed":
		return CheckpointFailed{s.number(args[0]), errors.New(strings.Join(args[1:], " "))}
	case "restarted":
		return Restarted{}
	}
	s.t.Fatalf("event %s", name)
	return nil
}

func (s *script) left(text string) pipeline.Left {
	name, what, _ := strings.Cut(text, ":")
	l := pipeline.Left{Vertex: stream.VertexID(name)}
	for part := range strings.SplitSeq(what, ",") {
		key, n, _ := strings.Cut(part, "=")
		switch key {
		case "":
		case "moving":
			l.Moving = true
		case "paused":
			l.Paused = true
		case "queued":
			l.Queued = s.number(n)
		case "flight":
			l.InFlight = s.number(n)
		case "held":
			l.Held = s.number(n)
		case "output":
			l.Output = s.number(n)
		case "unacked":
			l.Unacked = s.number(n)
		case "open":
			l.Open = s.number(n)
		case "waits":
			l.WaitsFor = append(l.WaitsFor, n)
		default:
			s.t.Fatalf("%s is left", part)
		}
	}
	return l
}

func (s *script) duration(text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		s.t.Fatal(err)
	}
	return d
}

func (s *script) number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

func render(a Action) string {
	switch a := a.(type) {
	case PauseSources:
		return "pause"
	case ResumeSources:
		return "resume"
	case TakeCheckpoint:
		return fmt.Sprint("checkpoint ", a.Attempt)
	case Report:
		return fmt.Sprintf("report %s of %s, drained %v", a.Actual, a.Desired, a.Drained)
	}
	panic("BUG: no such action")
}
