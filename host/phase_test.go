package host

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/control/phase"
)

// TestAPipelineBeginsInThePhaseOfItsFile also goes on from there, and back.
func TestAPipelineBeginsInThePhaseOfItsFile(t *testing.T) {
	c := openCheckpointed(t, "file://./checkpoints", "", "phase=paused", "pauseGrace=10s")
	status := func() PipelineStatus {
		t.Helper()
		var s Status
		if err := json.Unmarshal([]byte(page(c.Host, "/status")), &s); err != nil || len(s.Pipelines) != 1 {
			t.Fatalf("the status is %+v, %v", s, err)
		}
		return s.Pipelines[0]
	}
	c.until("it begins paused", func() bool { return status().Drained })
	s := status()
	if s.Desired != phase.Paused || s.State != phase.StatePaused || s.Phase != "running" || s.Vertices[0].RecordsIn != 0 || s.Checkpoint.Last == nil {
		t.Errorf("the status is %+v", s)
	}
	p := c.Pipelines()[0]
	p.Phases.Set(phase.Desired{Phase: phase.Running, Grace: time.Second})
	c.until("it runs", func() bool { s := status(); return s.State == phase.StateRunning && s.Vertices[0].RecordsIn > 100 })
	p.Phases.Set(phase.Desired{Phase: phase.Paused, Grace: 10 * time.Second})
	c.until("it is paused", func() bool { return status().Drained })
	read := status().Vertices[0].RecordsIn
	if rs := status().Reasons; len(rs) != 1 || rs[0].Vertex != "n" || rs[0].What != phase.Open || rs[0].Hinders {
		t.Errorf("with an open window the reasons are %+v", rs)
	}
	c.Drain()
	if err := c.end(); err != nil {
		t.Fatal(err)
	}
	if s := status(); s.Phase != "stopped" || s.Vertices[0].RecordsIn != read {
		t.Errorf("at the end %d records of %d were read, %s", s.Vertices[0].RecordsIn, read, s.Phase)
	}
}
