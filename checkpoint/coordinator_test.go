package checkpoint

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/stream/scripttest"
)

// A script begins with the vertices and settings of a coordinator. Each further
// line is a time and an event; the indented lines below are its actions.
func TestCoordinatorScripts(t *testing.T) {
	scripttest.Steps(t, "testdata/coordinator/*.txt", 8, func(s *scripttest.Script) func([]string) { return (&script{Script: s}).line })
}

type script struct {
	*scripttest.Script
	c        *Coordinator
	vertices []stream.VertexID
	settings Settings
}

// midnight is the origin of the times of scripts; it has no monotonic reading.
var midnight = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func (s *script) line(words []string) {
	switch words[0] {
	case "vertices":
		for _, w := range words[1:] {
			s.vertices = append(s.vertices, stream.VertexID(w))
		}
	case "settings":
		s.settings = Settings{MaxInFlight: 1, TolerableFailures: 3, Retain: Retention{Count: 3}}
		s.set(&s.settings, words[1:])
		c, err := NewCoordinator(s.vertices, s.settings, 1)
		if err != nil {
			s.Fatal(err)
		}
		s.c = c
		c.Step(midnight, Tick{})
	default:
		s.event(midnight.Add(s.Duration(words[0])), words[1], words[2:])
	}
}

func (s *script) event(now time.Time, name string, args []string) {
	switch name {
	case "through", "complete":
		e := s.epoch(args[0])
		for _, v := range s.vertices {
			s.step(now, BarrierPassed{e, v, 0})
		}
		for _, v := range s.vertices {
			s.step(now, SnapshotDone{e, v})
		}
		if name == "complete" {
			s.step(now, Published{e})
			s.step(now, SinkCommitted{e})
		}
	default:
		s.step(now, s.parse(name, args))
	}
}

func (s *script) parse(name string, args []string) Event {
	arg := func(i int) string {
		if i < len(args) {
			return args[i]
		}
		return ""
	}
	vertex := stream.VertexID(arg(1))
	switch name {
	case "tick":
		return Tick{}
	case "passed":
		blocked := time.Duration(0)
		if arg(2) != "" {
			blocked = s.Duration(arg(2))
		}
		return BarrierPassed{s.epoch(arg(0)), vertex, blocked}
	case "snapshot":
		return SnapshotDone{s.epoch(arg(0)), vertex}
	case "snapshot-failed":
		return SnapshotFailed{s.epoch(arg(0)), vertex, errors.New("no memory")}
	case "published":
		return Published{s.epoch(arg(0))}
	case "upload-failed":
		return UploadFailed{s.epoch(arg(0)), errors.New("503")}
	case "committed":
		return SinkCommitted{s.epoch(arg(0))}
	case "commit-failed":
		return CommitFailed{s.epoch(arg(0)), s.Number(arg(1)), errors.New("sink away")}
	case "config":
		s.set(&s.settings, args[1:])
		return ConfigChanged{s.settings, Revision(s.Number(arg(0)))}
	case "request":
		return Requested{}
	case "stop":
		return Stopping{}
	case "fenced":
		return Fenced{}
	case "dirty":
		return DirtyBytes{int64(s.Number(arg(0)))}
	case "restored":
		r := Restored{Epoch: s.epoch(arg(0))}
		if arg(1) != "" {
			r.Interval, r.Restarts = s.Duration(arg(1)), s.Number(arg(2))
		}
		return r
	case "measured":
		var figures [4]Figure
		for i := range figures {
			if arg(i) != "?" {
				figures[i] = Known(float64(s.Number(arg(i))))
			}
		}
		return Measured{Load{figures[0], figures[1], figures[2], figures[3]}}
	}
	s.Fatalf("no event %q", name)
	return nil
}

func (s *script) step(now time.Time, ev Event) {
	for _, a := range s.c.Step(now, ev) {
		s.Say("%s", describe(a))
	}
}

func describe(a Action) string {
	every := func(c Choice) string { return fmt.Sprintf("every %v by %s", c.Interval, c.By) }
	switch a := a.(type) {
	case Trigger:
		return fmt.Sprintf("trigger %d %s (revision %d, %s)", a.Epoch, a.Reason, a.Revision, every(a.Choice))
	case Unalign:
		return fmt.Sprintf("unalign %d", a.Epoch)
	case Publish:
		return fmt.Sprintf("publish %d", a.Epoch)
	case CommitSinks:
		return fmt.Sprintf("commit %d attempt %d", a.Epoch, a.Attempt)
	case Abort:
		return fmt.Sprintf("abort %d: %s", a.Epoch, firstLine(a.Err))
	case Retain:
		return "retain"
	case Applied:
		return fmt.Sprintf("applied revision %d, %s", a.Revision, every(a.Choice))
	case Finished:
		return fmt.Sprintf("finished %d", a.Epoch)
	case Fail:
		return "fail: " + firstLine(a.Err)
	}
	return fmt.Sprintf("%T", a)
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

func (s *script) set(to *Settings, words []string) {
	adaptive := Adaptive{}
	if to.Adaptive != nil {
		adaptive = *to.Adaptive
	}
	for _, w := range words {
		key, value, _ := strings.Cut(w, "=")
		switch key {
		case "interval":
			to.Interval, to.Adaptive = s.Duration(value), nil
			continue
		case "timeout":
			to.Timeout = s.Duration(value)
			continue
		case "minPause":
			to.MinPause = s.Duration(value)
			continue
		case "alignTimeout":
			to.AlignTimeout = s.Duration(value)
			continue
		case "inFlight":
			to.MaxInFlight = s.Number(value)
			continue
		case "tolerable":
			to.TolerableFailures = s.Number(value)
			continue
		case "dirty":
			to.DirtyBytes = int64(s.Number(value))
			continue
		case "min":
			adaptive.Min = s.Duration(value)
		case "max":
			adaptive.Max = s.Duration(value)
		case "recovery":
			adaptive.RecoveryTime = s.Duration(value)
		default:
			s.Fatalf("no setting %q", key)
		}
		a := adaptive
		to.Adaptive = &a
	}
}

func (s *script) epoch(text string) stream.Epoch { return stream.Epoch(s.Number(text)) }
