package host

import (
	"context"
	"runtime"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm"
)

// called waits until the plugin was called.
func (s *swapped) called() {
	s.Helper()
	p, _ := s.crew.all()[0].look()
	for f := p.graph.Vertices[1].Transform.(*wasm.Versions); f.Stats().Calls == 0; runtime.Gosched() {
		if len(s.ended) > 0 {
			s.Fatal("it has ended")
		}
	}
}

// TestAPluginIsTriedBeforeItServes drops one that traps, and one that answers otherwise.
func TestAPluginIsTriedBeforeItServes(t *testing.T) {
	s := openSwapped(t, abitest.Identity(), ", rate: 20000", "", "{file: {path: out.ndjson}}")
	s.called()
	running := s.Pipelines()[0]
	s.drop(abitest.Offenders()["processes one record"])
	all, err := s.Reload(context.Background())
	if stream.CodeOf(err) != stream.PluginCanary || len(all) != 1 || all[0].Revision != 1 || all[0].Error == nil || all[0].Plugins != nil {
		t.Errorf("%v: %+v", err, all)
	}
	if err != nil && !strings.Contains(err.Error(), "p.yaml:4:") {
		t.Errorf("it does not say where: %v", err)
	}
	if s.Pipelines()[0] != running {
		t.Error("something was changed")
	}
	s.drop(abitest.Offenders()["answers a frame as it answers its records one by one"])
	all, err = s.Reload(context.Background())
	if err != nil || len(all[0].Plugins) != 2 || !strings.HasPrefix(all[0].Plugins[1], "f: canary: ") || !strings.HasSuffix(all[0].Plugins[1], " answered differently") {
		t.Errorf("%v: %+v", err, all)
	}
	s.end()
	if n := s.numbers(false); n == 0 {
		t.Error("no record came through")
	}
}

// TestTheCanaryIsOffWhereTheProcessSaysSo has nothing to tell of a trial.
func TestTheCanaryIsOffWhereTheProcessSaysSo(t *testing.T) {
	s := openSwapped(t, abitest.Identity(), ", rate: 20000", "", "{file: {path: out.ndjson}}", "plugins.canary=off")
	s.called()
	s.drop(abitest.Offenders()["answers a frame as it answers its records one by one"])
	all, err := s.Reload(context.Background())
	if err != nil || len(all[0].Plugins) != 1 || all[0].Revision != 2 {
		t.Errorf("%v: %+v", err, all)
	}
	s.end()
}

// TestARefusedPluginIsNotServedByANewGeneration has a vertex that cannot be swapped beside
// the one whose plugin is refused.
func TestARefusedPluginIsNotServedByANewGeneration(t *testing.T) {
	good := abitest.Identity()
	s := openSwapped(t, good, ", rate: 20000", "", "{file: {path: out.ndjson}}")
	s.called()
	running := s.Pipelines()[0]
	s.drop(abitest.Offenders()["processes one record"])
	c := *running.Config
	ch, err := s.builder("p", running.File).Prepare(context.Background(), &c, running.graph, running.Pipeline, nil, []stream.VertexID{"f", "out"})
	if ch != nil || stream.CodeOf(err) != stream.PluginCanary {
		t.Errorf("%v, %v", ch, err)
	}
	s.end()
}
