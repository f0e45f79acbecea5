package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/checkpoint/storetest"
	"github.com/wasmill/wasmill/host/control/durable"
	"github.com/wasmill/wasmill/host/control/phase"
	"github.com/wasmill/wasmill/host/stream"
)

// TestOpenWindowsAreToldInAPauseAndComeBack pauses a pipeline with open windows, kills it,
// and begins it again in the same phase.
func TestOpenWindowsAreToldInAPauseAndComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var place storetest.Place
		l, d := pausable(t, &place, phase.Running)
		l.say("busy", 10, "a", "b")
		l.say("busy", 20, "a")
		l.say("busy", 70, "c")
		l.say("quiet", 30, "a")
		d.Set(phase.Desired{Phase: phase.Paused, Grace: time.Minute})
		l.wait(10 * time.Second)
		paused := pauseOf(d)
		if n := 0; !scan(paused, "paused and drained: [a: open state %d]", &n) || n < 3 {
			t.Errorf("with three open windows it is %s", paused)
		}
		l.feeds["busy"].batches <- []fed{{0, "", `{"at":200,"k":"d"}`}}
		l.wait(time.Hour)
		l.expect("in the pause", "")
		l.stop(errors.New("killed"))

		l, d = pausable(t, &place, phase.Paused)
		l.wait(10 * time.Second)
		if got := pauseOf(d); got != paused {
			t.Errorf("after a restart got %s, want %s", got, paused)
		}
		d.Set(phase.Desired{Phase: phase.Running, Grace: time.Minute})
		l.wait(time.Second)
		l.say("busy", 50, "a")
		l.say("quiet", 50, "b")
		l.say("busy", 130, "d")
		l.say("quiet", 130, "d")
		out := l.ears["out"]
		out.mu.Lock()
		var all []string
		for _, h := range out.all {
			all = append(all, h.key+" "+member(t, h.value, "count"))
		}
		out.mu.Unlock()
		if got := strings.Join(all, ", "); len(all) != 3 || !strings.Contains(got, "a 4") || !strings.Contains(got, "b 2") || !strings.Contains(got, "c 1") {
			t.Errorf("the windows have %s", got)
		}
		l.stop(nil)
	})
}

// pauseOf writes a status with its reasons.
func pauseOf(d *phase.Driver) string {
	s := d.Status()
	how := "not drained"
	if s.Drained {
		how = "drained"
	}
	return fmt.Sprintf("%s and %s: %v", s.Actual, how, s.Reasons)
}

func scan(text, format string, n *int) bool {
	_, err := fmt.Sscanf(text, format, n)
	return err == nil
}

// pausing is a living with checkpoints.
type pausing struct {
	*living
	stop func(error)
}

// pausable makes one that goes on from what is in a place.
func pausable(t *testing.T, place *storetest.Place, p phase.Phase) (*pausing, *phase.Driver) {
	l := &pausing{living: &living{T: t, feeds: map[string]*feed{}, ears: map[string]*ear{}, lows: map[stream.VertexID]stream.Watermark{}}}
	c, g := graphOf(t, nil, strings.Replace(minutes, "ROLE", counted, 1))
	for i := range g.Vertices {
		v := &g.Vertices[i]
		v.CallTime = 0
		if v.Source != nil {
			f := &feed{batches: make(chan []fed, 10)}
			v.Source, l.feeds[string(v.Name)] = f, f
		}
		if v.Sink != nil {
			e := &ear{}
			v.Sink, l.ears[string(v.Name)] = e, e
		}
	}
	r, err := durable.New(durable.Config{
		Name: "p", Graph: g, Shapes: shapes(c, g), Open: func(context.Context) (checkpoint.Store, error) { return place.Open(), nil },
		Settings: checkpoint.Settings{Interval: time.Minute, Timeout: time.Minute, MaxInFlight: 1, TolerableFailures: 10, Retain: checkpoint.Retention{Count: 3}},
	})
	if err != nil {
		t.Fatal(err)
	}
	l.pipe = r.Pipeline
	d := phase.New(r, r, phase.Desired{Phase: p, Grace: time.Minute}, nil)
	ctx, cancel := context.WithCancelCause(t.Context())
	driving, end := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	wait.Go(func() { d.Run(driving) })
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	l.stop = func(why error) {
		if why == nil {
			r.Drain()
		} else {
			cancel(why)
		}
		if err := <-done; !errors.Is(err, why) {
			t.Errorf("got %v, want %v", err, why)
		}
		cancel(nil)
		end()
		wait.Wait()
	}
	synctest.Wait()
	return l, d
}

// TestPauseStatusIsReadable also holds the names that scripts rely on.
func TestPauseStatusIsReadable(t *testing.T) {
	s := Status{Pipeline: "p", PauseStatus: pauseStatus(phase.Status{
		Desired: phase.Paused, Actual: phase.StatePaused, Since: time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600)),
		Reasons: []phase.Reason{
			{Vertex: "slow", What: phase.Queued, Count: 12, Hinders: true},
			{Vertex: "a", What: phase.Open, Count: 3},
			{What: phase.NoCheckpoint, Why: "the store is away", Hinders: true},
		},
	})}
	got, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	const want = `{
 "pipeline": "p",
 "phase": "",
 "desired": "paused",
 "state": "paused",
 "since": "2026-01-02T02:04:05Z",
 "drained": false,
 "reasons": [
  {
   "vertex": "slow",
   "what": "queued",
   "count": 12,
   "hinders": true
  },
  {
   "vertex": "a",
   "what": "open state",
   "count": 3,
   "hinders": false
  },
  {
   "what": "checkpoint",
   "why": "the store is away",
   "hinders": true
  }
 ],
 "vertices": null,
 "oldest": null
}`
	if string(got) != want {
		t.Errorf("got %s", got)
	}
	if got := pauseStatus(phase.Status{Desired: phase.Running}); got.Reasons == nil {
		t.Error("no reasons are written as null")
	}
}
