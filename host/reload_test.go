package host

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/control"
	"github.com/wasmill/wasmill/host/control/phase"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
)

// edited is a pipeline that copies numbered orders and counts them by user while its
// file is edited.
type edited struct {
	*testing.T
	*Host
	dir   string
	ended chan error

	mu      sync.Mutex // guards
	applied []stream.ConfigChange
	refused []error
}

const orders = 40_000

// text is the file: after has further lines. The orders take so long, until it hurries, that
// a slow machine makes all edits while they come.
func (e *edited) text(interval, key, after string) string {
	return fmt.Sprintf(`name: p
checkpoint: {storage: file://./checkpoints, interval: %s}
vertices:
  - {name: orders, source: {generator: {count: %d, rate: 2000, template: '{"order":{{seq}},"user":{{rand 50}}}'}}}
  - {name: per-user, aggregate: count, key: {json: user}, window: {global: true}%s}
  - {name: copy, sink: {file: {path: out/orders.ndjson}}}
  - {name: totals, sink: {file: {path: out/totals.ndjson}}}
edges:
  - {from: orders, to: copy}
  - {from: orders, to: per-user}
  - {from: per-user, to: totals}
%s`, interval, orders, key, after)
}

// write saves the file, in place or as most editors do.
func (e *edited) write(text string, rename bool) {
	e.Helper()
	name := filepath.Join(e.dir, "p.yaml")
	to := name
	if rename {
		to += ".new"
	}
	if err := os.WriteFile(to, []byte(text), 0o600); err != nil {
		e.Fatal(err)
	}
	if rename {
		if err := os.Rename(to, name); err != nil {
			e.Fatal(err)
		}
	}
}

func openEdited(t *testing.T, prepare func(*edited)) *edited {
	e := &edited{T: t, dir: t.TempDir(), ended: make(chan error, 1)}
	for _, folder := range []string{"out", "plugins"} {
		if err := os.Mkdir(filepath.Join(e.dir, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	prepare(e)
	events := func(string) stream.Events {
		return stream.Events{
			ConfigApplied: func(c stream.ConfigChange) { e.mu.Lock(); defer e.mu.Unlock(); e.applied = append(e.applied, c) },
			ConfigRefused: func(err error) { e.mu.Lock(); defer e.mu.Unlock(); e.refused = append(e.refused, err) },
		}
	}
	var err error
	e.Host, err = Open(t.Context(), Options{Files: []string{filepath.Join(e.dir, "p.yaml")}, Events: events, Follow: true, Admin: true, Set: []string{"admin.listen=127.0.0.1:0", "data.dir=" + t.TempDir(), "plugins.dir=" + filepath.Join(e.dir, "plugins")}})
	if err != nil {
		t.Fatal(err)
	}
	go func() { e.ended <- e.Host.Run(context.WithoutCancel(t.Context())) }()
	t.Cleanup(func() {
		e.Drain()
		<-e.ended
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	e.until("it runs", func() bool { return e.Pipelines()[0].Phase() == pipeline.PhaseRunning })
	return e
}

// until polls for something to become true.
func (e *edited) until(what string, is func() bool) {
	e.Helper()
	for range 12_000 { // a minute
		if is() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	select {
	case err := <-e.ended:
		e.ended <- err
		e.Errorf("it has ended: %v", err)
	default:
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.Fatalf("%s: it did not come to that: %s, %+v; refused: %v", what, e.Pipelines()[0].Phase(), e.Status().Pipelines[0].Config, e.refused)
}

// revision waits for a change to be in force.
func (e *edited) revision(n uint64) ConfigStatus {
	e.Helper()
	e.until(fmt.Sprintf("revision %d is in force", n), func() bool { return e.config().Revision >= n && e.config().Error == nil })
	return e.config()
}

func (e *edited) config() ConfigStatus { return e.Status().Pipelines[0].Config }

// metrics are those of the host.
func (e *edited) metrics() string { return page(e.Host, "/metrics") }

// hurry lets what is left of the orders come at once.
func (e *edited) hurry() {
	e.Helper()
	text, err := os.ReadFile(filepath.Join(e.dir, "p.yaml"))
	if err != nil {
		e.Fatal(err)
	}
	e.write(strings.Replace(string(text), ", rate: 2000", "", 1), true)
}

// complete hurries, waits for the end, and checks that each order was copied once and counted once.
func (e *edited) complete() {
	e.Helper()
	e.hurry()
	err := <-e.ended
	e.ended <- err
	if err != nil {
		e.Fatal(err)
	}
	seen := make(map[int]int)
	e.lines("orders.ndjson", func(line []byte) {
		var o struct{ Order int }
		if err := json.Unmarshal(line, &o); err != nil {
			e.Fatal(err)
		}
		seen[o.Order]++
	})
	for order, n := range seen {
		if n != 1 {
			e.Errorf("order %d is there %d times", order, n)
		}
	}
	counted := 0
	e.lines("totals.ndjson", func(line []byte) {
		var r struct{ Count int }
		if err := json.Unmarshal(line, &r); err != nil {
			e.Fatal(err)
		}
		counted += r.Count
	})
	if len(seen) != orders || counted != orders {
		e.Errorf("%d orders were copied and %d counted, of %d", len(seen), counted, orders)
	}
}

func (e *edited) lines(name string, take func([]byte)) {
	e.Helper()
	f, err := os.Open(filepath.Join(e.dir, "out", name))
	if err != nil {
		e.Fatal(err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		take(s.Bytes())
	}
}

// TestAFileIsEditedWhileItsPipelineRuns makes changes of each class and mistakes.
func TestAFileIsEditedWhileItsPipelineRuns(t *testing.T) {
	e := openEdited(t, func(e *edited) { e.write(e.text("100ms", "", ""), false) })
	first := e.Pipelines()[0].Pipeline

	e.write(e.text("50ms", "", ""), false)
	if c := e.revision(2); c.Class != "live" || *e.Status().Pipelines[0].Checkpoint.Interval != 0.05 || e.Pipelines()[0].Pipeline != first {
		t.Errorf("the interval: %+v", c)
	}

	e.write("name: p\nvertices: [", true)
	e.until("a bad file is refused", func() bool { return e.config().Error != nil })
	if c := e.config(); c.Revision != 2 || !strings.Contains(*c.Error, "p.yaml:2") {
		t.Errorf("a bad file: %+v, %s", c, *c.Error)
	}
	if got := e.metrics(); !strings.Contains(got, `wasmill_config_revision{pipeline="p"} 2`) || !strings.Contains(got, `wasmill_config_refused{pipeline="p"} 1`) {
		t.Errorf("the metrics are %s", got)
	}

	e.write(e.text("50ms", ", concurrency: 4", ""), true)
	if c := e.revision(3); c.Class != "live" || e.Pipelines()[0].Pipeline != first || e.Status().Pipelines[0].Vertices[1].Permits != 4 {
		t.Errorf("the concurrency: %+v", c)
	}

	more := "  - {from: orders, to: again}\n"
	text := strings.Replace(e.text("50ms", ", concurrency: 4", more), "edges:", "  - {name: again, sink: {drop: {}}}\nedges:", 1)
	e.write(text, true)
	if c := e.revision(4); c.Class != "graph" || len(e.Status().Pipelines[0].Vertices) != 5 {
		t.Errorf("another sink: %+v", c)
	}

	e.write(strings.Replace(text, "key: {json: user}", "key: {json: order}", 1), false) // its state does not fit
	e.until("what does not fit is refused", func() bool { return e.config().Error != nil })
	if c := e.config(); c.Revision != 4 || !strings.Contains(*c.Error, "per-user") {
		t.Errorf("a key that does not fit: %+v, %s", c, *c.Error)
	}
	e.until("the generation before goes on", func() bool { return e.Pipelines()[0].Phase() == pipeline.PhaseRunning })

	e.write(strings.Replace(text, "file://./checkpoints", "file://./elsewhere", 1), false)
	e.until("what takes a restart is refused", func() bool {
		return e.config().Error != nil && strings.Contains(*e.config().Error, "checkpoint.storage")
	})

	e.write(text, false)
	e.until("what runs is in the file again", func() bool { return e.config().Error == nil })
	if n := e.config().Revision; n != 4 {
		t.Errorf("the same file is revision %d", n)
	}
	func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		if len(e.applied) != 3 || len(e.applied[0].Steps) != 1 || !strings.HasPrefix(e.applied[0].Steps[0], "checkpoint.interval: ") || len(e.refused) != 3 {
			t.Errorf("told were %+v and %v", e.applied, e.refused)
		}
	}()
	e.complete()
}

// plugin drops a file into the plugins folder, in two writes if there is anything to cut.
func (e *edited) plugin(data []byte) {
	e.Helper()
	f, err := os.Create(filepath.Join(e.dir, "plugins", "f.wasm"))
	if err != nil {
		e.Fatal(err)
	}
	for _, part := range [][]byte{data[:len(data)/2], data[len(data)/2:]} {
		if _, err := f.Write(part); err != nil {
			e.Fatal(err)
		}
		time.Sleep(30 * time.Millisecond)
	}
	if err := f.Close(); err != nil {
		e.Fatal(err)
	}
}

// checkpointHas waits for a checkpoint that is begun from now on, and looks for a text in
// what it says of a vertex.
func (e *edited) checkpointHas(vertex stream.VertexID, text string) {
	e.Helper()
	p := e.Pipelines()[0]
	last := func() stream.Epoch {
		if l := p.Status().Checkpoint.Last; l != nil {
			return l.Epoch
		}
		return 0
	}
	from := last()
	e.until("there are two more checkpoints", func() bool { return last() > from+1 })
	at, _ := control.StoreOf(p.Config, e.dir)
	err := e.look(at, "p", func(all *control.Checkpoints) error {
		epoch, err := all.Newest(e.Context())
		if err != nil {
			return err
		}
		detail, err := all.Show(e.Context(), epoch)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(detail.Holds, func(v control.VertexHolding) bool { return v.Vertex == vertex })
		if !strings.Contains(string(detail.Holds[i].Meta), text) {
			e.Errorf("checkpoint %d says of %s %s, and not %s", epoch, vertex, detail.Holds[i].Meta, text)
		}
		return nil
	})
	if err != nil {
		e.Fatal(err)
	}
}

// TestAPluginIsDroppedWhileItsPipelineRuns takes another version, and refuses a broken one.
func TestAPluginIsDroppedWhileItsPipelineRuns(t *testing.T) {
	first, err := os.ReadFile("../plugins/identity.wasm")
	if err != nil {
		if os.Getenv("REQUIRE_GUESTS") != "" {
			t.Fatal(err)
		}
		t.Skip("make plugins builds what this needs")
	}
	second := append(bytes.Clone(first), 0, 3, 1, 'v', '2') // with a custom section
	e := openEdited(t, func(e *edited) {
		e.plugin(first)
		text := strings.Replace(e.text("50ms", "", ""), "edges:", "  - {name: f, udf: {plugin: f}}\nedges:\n  - {from: orders, to: f}\n  - {from: f, to: copy}", 1)
		e.write(strings.Replace(text, "  - {from: orders, to: copy}\n", "", 1), false)
	})
	running := e.Pipelines()[0].Pipeline
	e.plugin(second)
	if c := e.revision(2); c.Class != "vertex" || e.Pipelines()[0].Pipeline != running {
		t.Errorf("another version: %+v", c)
	}
	hash := fmt.Sprintf("%x", sha256.Sum256(second))
	f := func() *control.GuestStatus {
		all := e.Status().Pipelines[0].Vertices
		return all[slices.IndexFunc(all, func(v control.VertexStatus) bool { return v.Vertex == "f" })].Guests
	}
	if g := f(); g == nil || g.SHA256 != hash || g.Plugin != "f" || g.Version != "1.0.0" || g.Instances == 0 || g.Calls == 0 {
		t.Errorf("the status has %+v", g)
	}
	e.checkpointHas("f", hash)
	e.plugin([]byte("\x00asm\x01\x00\x00\x00 and what is no section"))
	e.until("a broken one is refused", func() bool { return e.config().Error != nil })
	if c := e.config(); c.Revision != 2 || !strings.Contains(*c.Error, "f.wasm") {
		t.Errorf("a broken one: %+v, %s", c, *c.Error)
	}
	e.plugin(second)
	e.until("the version that runs is there again", func() bool { return e.config().Error == nil })
	e.complete()
}

// TestAnAggregateGetsMoreAndFewerCallsThanItWasMadeFor counts on in the same generation.
func TestAnAggregateGetsMoreAndFewerCallsThanItWasMadeFor(t *testing.T) {
	e := openEdited(t, func(e *edited) { e.write(e.text("50ms", ", concurrency: 2", ""), false) })
	first := e.Pipelines()[0].Pipeline
	for i, n := range []int{300, 1, 16} {
		e.write(e.text("50ms", fmt.Sprintf(", concurrency: %d", n), ""), true)
		c := e.revision(uint64(2 + i))
		if c.Class != "live" || e.Pipelines()[0].Pipeline != first || e.Status().Pipelines[0].Vertices[1].Permits != n {
			t.Errorf("concurrency %d: %+v", n, c)
		}
	}
	e.complete()
}

// TestAPhaseIsEditedWhileThePipelineRuns pauses by the file and by hand, over changes
// that take a new generation: more bytes of state.
func TestAPhaseIsEditedWhileThePipelineRuns(t *testing.T) {
	e := openEdited(t, func(e *edited) { e.write(e.text("50ms", "", ""), false) })
	drained := func() bool { p := e.Status().Pipelines[0]; return p.State == phase.StatePaused && p.Drained }
	read := func() uint64 { return e.Status().Pipelines[0].Vertices[0].RecordsIn }

	e.write(e.text("50ms", "", "phase: paused\n"), true)
	if c := e.revision(2); c.Class != "live" {
		t.Errorf("the phase: %+v", c)
	}
	e.until("the pause is drained", drained)
	before := read()
	e.write(e.text("50ms", ", state: {maxBytes: 200MiB}", "phase: paused\n"), true)
	e.revision(3)
	e.until("the next generation is paused", drained)
	if n := read(); n != 0 {
		t.Errorf("%d records were read before the change, and %d after it in a pause", before, n)
	}

	if _, err := e.SetPhase("p", phase.Running); err != nil {
		t.Fatal(err)
	}
	e.until("it is read", func() bool { return read() > 0 })
	if _, err := e.SetPhase("p", phase.Paused); err != nil {
		t.Fatal(err)
	}
	e.until("it is paused by hand", drained)
	e.write(e.text("60ms", ", state: {maxBytes: 201MiB}", "phase: paused\n"), true) // of the phase it says nothing new
	e.revision(4)
	e.until("the pause goes on", drained)
	e.write(e.text("60ms", ", state: {maxBytes: 201MiB}", ""), true)
	e.revision(5)
	e.complete()
}
