package host

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/control/phase"
	"github.com/wasmill/wasmill/host/pipeline"
)

// counts writes what vertices have of what they want, such as "in 1/1, f 2/3".
func (r *Readiness) counts() string {
	var texts []string
	for _, v := range r.Vertices {
		texts = append(texts, fmt.Sprintf("%s %d/%d", v.Vertex, v.Ready, v.Want))
	}
	return strings.Join(texts, ", ")
}

// readied is a pipeline of one plugin whose vertex is named, with a concurrency.
func readied(vertex, concurrency string) string {
	return strings.NewReplacer("VERTEX", vertex, "N", concurrency).Replace(`name: p
checkpoint: {storage: file://./checkpoints, interval: 1h}
vertices:
  - {name: in, source: {generator: {rate: 100}}}
  - {name: VERTEX, udf: {plugin: identity}, concurrency: N}
  - {name: out, sink: {file: {path: out/orders.ndjson}}}
edges:
  - {from: in, to: VERTEX}
  - {from: VERTEX, to: out}
`)
}

// TestReadyIsWhatTheRevisionInForceWants is L3: exactly the vertices of the revision in
// force, each once, with exactly the instances that it wants.
func TestReadyIsWhatTheRevisionInForceWants(t *testing.T) {
	e := openEdited(t, func(e *edited) {
		e.write(readied("f", "3"), false)
		if err := os.WriteFile(filepath.Join(e.dir, "plugins", "identity.wasm"), abitest.Identity(), 0o600); err != nil {
			t.Fatal(err)
		}
	})
	asked := checkpointed{T: t, Host: e.Host}
	ready := func() (r Readiness) {
		if got := asked.api("GET", "/api/v1/pipelines/p/ready", "", &r); got.StatusCode != 200 {
			t.Fatal(got.Status)
		}
		return r
	}
	becomes := func(revision uint64, counts string) {
		t.Helper()
		e.until(counts, func() bool { r := ready(); return r.Ready && r.Revision == revision && r.counts() == counts })
		if got := page(e.Host, "/readyz"); got != "ready\n" {
			t.Errorf("%s: %q", counts, got)
		}
	}
	instances := func(n int) {
		t.Helper()
		e.until(fmt.Sprintf("%d instances live", n), func() bool { return e.Status().Pipelines[0].Vertices[1].Guests.Instances == n })
	}
	becomes(1, "in 1/1, f 3/3, out 1/1")
	instances(3)
	for k, step := range []struct {
		concurrency, counts string
		live                int
	}{
		{"1", "in 1/1, f 1/1, out 1/1", 1},
		{"{min: 2, max: 50}", "in 1/1, f 2/2, out 1/1", 2}, // calls may start more
		{"0", "in 1/1, f 0/0, out 1/1", 0},
		{"2", "in 1/1, f 2/2, out 1/1", 2},
	} {
		e.write(readied("f", step.concurrency), true)
		becomes(uint64(k+2), step.counts)
		instances(step.live)
	}
	e.write(readied("other", "4"), true)
	becomes(6, "in 1/1, other 4/4, out 1/1")
	e.write(readied("other", "many"), true)
	e.until("a bad file is refused", func() bool { return e.config().Error != nil })
	becomes(6, "in 1/1, other 4/4, out 1/1")
	if _, err := e.SetPhase("p", phase.Paused); err != nil {
		t.Fatal(err)
	}
	e.until("it is paused", func() bool { return e.Pipelines()[0].Status().State == phase.StatePaused })
	becomes(6, "in 1/1, other 4/4, out 1/1")
	if got := asked.api("GET", "/api/v1/pipelines/q/ready", "", nil); got.StatusCode != 404 {
		t.Errorf("of another one: %s", got.Status)
	}
	e.Drain()
	err := <-e.ended
	e.ended <- err
	if r := e.Readiness()[0]; err != nil || !r.Ready || !r.Over || r.Phase != pipeline.PhaseStopped || len(r.Vertices) != 0 {
		t.Errorf("after its end: %+v, %v", r, err)
	}
}

func TestWhatHasNotBegunOrHasFailedIsNotReady(t *testing.T) {
	h, err := openSmall(t, func() error { return errors.New("broken") }, "admin.listen=127.0.0.1:0", "vertices.f.concurrency=1")
	if err != nil {
		t.Fatal(err)
	}
	if r := h.Readiness()[0]; r.Ready || r.Over || r.counts() != "in 0/1, f 0/1, out 0/1" || r.Why != "it starts" || r.Vertices[0].Why == "" {
		t.Errorf("before the run: %+v", r)
	}
	if err := h.Run(t.Context()); err == nil {
		t.Fatal("it did not fail")
	}
	if r := h.Readiness()[0]; r.Ready || !r.Over || r.Phase != pipeline.PhaseFailed || !strings.Contains(r.Why, "broken") || len(r.Vertices) != 0 {
		t.Errorf("after the run: %+v", r)
	}
}
