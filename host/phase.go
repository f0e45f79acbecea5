package host

import (
	"slices"

	"github.com/wasmill/wasmill/host/admin"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/control"
	"github.com/wasmill/wasmill/host/control/phase"
	"github.com/wasmill/wasmill/host/control/plan"
	"github.com/wasmill/wasmill/host/stream"
)

// SetPhase asks a pipeline to run or to pause, as a change of phase in its file does,
// and does not wait for that. The next such change wins. With Options.Revisions what was
// asked for outlives the process.
func (h *Host) SetPhase(pipeline string, want phase.Phase) (control.PauseStatus, error) {
	h.reloads.Lock()
	defer h.reloads.Unlock()
	for _, s := range h.crew.all() {
		if p, _ := s.look(); p.Name == pipeline {
			if err := h.ask(s, want); err != nil {
				return control.PauseStatus{}, err
			}
			p.Phases.Set(s.desired(p.Config))
			return control.PauseStatusOf(p.Phases), nil
		}
	}
	if err := h.refusal(pipeline); err != nil {
		return control.PauseStatus{}, err
	}
	return control.PauseStatus{}, &stream.Error{Code: admin.PipelineUnknown, Where: pipeline, Why: "there is no such pipeline", Fix: "take one that wasmill status lists"}
}

// forget lets the file have its way again.
func (h *Host) forget(s *seat) {
	if err := h.ask(s, ""); err != nil {
		p, _ := s.look()
		s.ask("")
		h.tell(p.Name, err.Error())
	}
}

// ask notes a phase that wins over that of the file; empty = that of the file wins.
func (s *seat) ask(want phase.Phase) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = want
}

// desired is what a generation with a config is to do.
func (s *seat) desired(c *config.Pipeline) phase.Desired {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := desired(c)
	if s.asked != "" {
		d.Phase = s.asked
	}
	return d
}

// suspends says why nothing is scaled now, empty if it is: a pause, from when it is asked
// for until records move again.
func (s *seat) suspends() string {
	p, _ := s.look()
	switch st := p.Phases.Status(); {
	case st.Actual != phase.StateRunning:
		return "the pipeline is " + string(st.Actual)
	case st.Desired != phase.Running:
		return "the pipeline is to pause"
	}
	return ""
}

// phased says whether a plan changes the phase.
func phased(p plan.Plan) bool {
	return slices.ContainsFunc(p.Steps, func(s plan.Step) bool { return s.Path == "phase" })
}
