package phase

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/stream/scripttest"
)

// A script says first whether there are checkpoints. Each further line is a time and an
// event; the indented lines below are its actions. "status" is no event and shows the
// status. What is left is written as vertex:what=n,…
func TestMachineScripts(t *testing.T) {
	scripttest.Steps(t, "testdata/*.txt", 10, func(s *scripttest.Script) func([]string) { return (&script{Script: s}).step })
}

type script struct {
	*scripttest.Script
	m *Machine
}

// midnight is the origin of the times of scripts; it has no monotonic reading.
var midnight = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func (s *script) step(words []string) {
	switch words[0] {
	case "checkpoints":
		s.m = NewMachine(words[1] == "yes")
	case "status":
		s.status()
	default:
		for _, a := range s.m.Step(midnight.Add(s.Duration(words[0])), s.parse(words[1], words[2:])) {
			s.Say("%s", render(a))
		}
	}
}

func (s *script) status() {
	st := s.m.Status()
	s.Say("desired %s, %s since %v, drained %v", st.Desired, st.Actual, st.Since.Sub(midnight), st.Drained)
	for _, r := range st.Reasons {
		mark := "for information"
		if r.Hinders {
			mark = "hinders"
		}
		s.Say("%s, %s", r, mark)
	}
}

func (s *script) parse(name string, args []string) Event {
	switch name {
	case "desired":
		return Desired{Phase(args[0]), s.Duration(args[1])}
	case "tick":
		var t Tick
		for _, arg := range args {
			t.Left = append(t.Left, s.left(arg))
		}
		return t
	case "done":
		return CheckpointDone{s.Number(args[0])}
	case "failed":
		return CheckpointFailed{s.Number(args[0]), errors.New(strings.Join(args[1:], " "))}
	case "restarted":
		return Restarted{}
	}
	s.Fatalf("event %s", name)
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
			l.Queued = s.Number(n)
		case "flight":
			l.InFlight = s.Number(n)
		case "held":
			l.Held = s.Number(n)
		case "output":
			l.Output = s.Number(n)
		case "unacked":
			l.Unacked = s.Number(n)
		case "open":
			l.Open = s.Number(n)
		case "waits":
			l.WaitsFor = append(l.WaitsFor, n)
		default:
			s.Fatalf("%s is left", part)
		}
	}
	return l
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
