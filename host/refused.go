package host

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/wasmill/wasmill/host/admin"
	"github.com/wasmill/wasmill/host/control"
	"github.com/wasmill/wasmill/host/control/phase"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
)

// refused is a file whose pipeline does not run.
type refused struct {
	pipeline string // as far as that is known, or else after the file
	file     string
	err      error
}

// refuse notes which files are refused, and tells of those that were not, or for another
// reason.
func (h *Host) refuse(all []refused) {
	taken := make(map[string]bool)
	for _, p := range h.Pipelines() {
		taken[p.Name] = true
	}
	before := h.refused()
	for i := range all {
		r := &all[i]
		if r.pipeline == "" {
			base := filepath.Base(r.file)
			if r.pipeline = strings.TrimSuffix(base, filepath.Ext(base)); taken[r.pipeline] {
				r.pipeline = base
			}
		}
		taken[r.pipeline] = true
		known := slices.ContainsFunc(before, func(b refused) bool { return b.file == r.file && b.err.Error() == r.err.Error() })
		if e := h.eventsOf(r.pipeline); !known && e.PipelineRefused != nil {
			e.PipelineRefused(r.file, r.err)
		}
	}
	h.folder.mu.Lock()
	defer h.folder.mu.Unlock()
	h.folder.refused = all
}

// refused returns the files whose pipelines do not run.
func (h *Host) refused() []refused {
	if h.folder == nil {
		return nil
	}
	h.folder.mu.Lock()
	defer h.folder.mu.Unlock()
	return slices.Clone(h.folder.refused)
}

// refusal is why a pipeline does not run; nil = that is not known, or it does.
func (h *Host) refusal(pipeline string) error {
	for _, r := range h.refused() {
		if r.pipeline == pipeline {
			return &stream.Error{Code: admin.PipelineState, Where: r.file, Why: "the pipeline does not run, because its file is refused", Fix: "mend the file: wasmill status says what is wrong with it"}
		}
	}
	return nil
}

// status is what there is to see of a pipeline that does not run.
func (r *refused) status() PipelineStatus {
	text := r.err.Error()
	return PipelineStatus{
		control.Status{
			Pipeline: r.pipeline, Phase: pipeline.PhaseFailed, Vertices: []control.VertexStatus{}, Oldest: []control.FlightStatus{},
			PauseStatus: control.PauseStatus{Desired: phase.Running, State: phase.StateRunning, Reasons: []control.ReasonStatus{}},
		},
		ConfigStatus{File: r.file, Error: &text},
	}
}
