package config_test

import (
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/config"
)

func TestPhases(t *testing.T) {
	const rest = "name: p\nvertices: [{name: in, source: generate}, {name: out, sink: drop}]\nedges: [{from: in, to: out}]\n"
	tests := []struct {
		name, file string
		set        []string
		phase      config.Phase
		grace      time.Duration
	}{
		{"a pipeline runs and has half a minute to pause", "", nil, config.PhaseRunning, 30 * time.Second},
		{"the file says otherwise", "phase: paused\npauseGrace: 500ms\n", nil, config.PhasePaused, 500 * time.Millisecond},
		{"nothing said is the default", "phase:\npauseGrace: ~\n", nil, config.PhaseRunning, 30 * time.Second},
		{"the command line wins", "phase: paused\n", []string{"phase=running", "pauseGrace=1m"}, config.PhaseRunning, time.Minute},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, err := config.LoadPipeline(config.Layers{Files: []config.File{{Name: "p.yaml", Data: []byte(test.file + rest)}}, Set: test.set}, catalog())
			if err != nil {
				t.Fatal(err)
			}
			if p.Phase != test.phase || p.PauseGrace != test.grace {
				t.Errorf("got %s and %v, want %s and %v", p.Phase, p.PauseGrace, test.phase, test.grace)
			}
		})
	}
}
