package host

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/control"
	"github.com/wasmill/wasmill/host/control/phase"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/wasm"
)

// guest reads one of the plugins that make plugins builds.
func guest(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../plugins", name+".wasm"))
	if err != nil {
		if os.Getenv("REQUIRE_GUESTS") != "" {
			t.Fatal(err)
		}
		t.Skip("make plugins builds what this needs")
	}
	return data
}

// versioned returns a plugin that does the same and has another hash.
func versioned(plugin []byte, n int) []byte {
	text := strconv.Itoa(n)
	return append(append(bytes.Clone(plugin), 0, byte(len(text)+2), 1, 'v'), text...) // a custom section
}

// swapped is a pipeline of numbered records through a plugin that is swapped.
type swapped struct {
	testing.TB
	*Host
	dir   string
	ended chan error
}

// openSwapped runs it; vertex has settings of the udf, set of the process.
func openSwapped(t testing.TB, plugin []byte, source, vertex, sink string, set ...string) *swapped {
	s := &swapped{TB: t, dir: t.TempDir(), ended: make(chan error, 1)}
	s.drop(plugin)
	text := fmt.Sprintf(`name: p
vertices:
  - {name: numbers, source: {generator: {template: '{{seq}}'%s}}}
  - {name: f, udf: {plugin: f}%s}
  - {name: out, sink: %s}
edges:
  - {from: numbers, to: f}
  - {from: f, to: out}
`, source, vertex, sink)
	if err := os.WriteFile(filepath.Join(s.dir, "p.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	s.Host, err = Open(context.Background(), Options{Files: []string{filepath.Join(s.dir, "p.yaml")}, Set: append([]string{"data.dir=" + t.TempDir(), "cache.dir=" + t.TempDir(), "plugins.dir=" + s.dir}, set...)})
	if err != nil {
		t.Fatal(err)
	}
	go func() { s.ended <- s.Host.Run(context.Background()) }()
	return s
}

// drop puts a plugin into the folder, whole.
func (s *swapped) drop(plugin []byte) {
	s.Helper()
	name := filepath.Join(s.dir, "f.wasm")
	if err := os.WriteFile(name+".new", plugin, 0o600); err != nil {
		s.Fatal(err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		s.Fatal(err)
	}
}

// reload puts it in force.
func (s *swapped) reload(class string) {
	s.Helper()
	all, err := s.Reload(context.Background())
	if err != nil || len(all) != 1 || all[0].Class != class || all[0].Error != nil {
		s.Fatalf("%v: %+v", err, all)
	}
}

// end drains the pipeline and frees all.
func (s *swapped) end() {
	s.Helper()
	s.Drain()
	if err := <-s.ended; err != nil {
		s.Error(err)
	}
	if err := s.Close(context.Background()); err != nil {
		s.Error(err)
	}
}

// numbers reads what came out, and says what is missing, there twice or, with order, not
// where it belongs.
func (s *swapped) numbers(ordered bool) (n int) {
	s.Helper()
	f, err := os.Open(filepath.Join(s.dir, "out.ndjson"))
	if err != nil {
		s.Fatal(err)
	}
	defer f.Close()
	seen := make(map[int]bool)
	doubled, reordered, most := 0, 0, -1
	for lines := bufio.NewScanner(f); lines.Scan(); {
		at, err := strconv.Atoi(lines.Text())
		if err != nil {
			s.Fatal(err)
		}
		if seen[at] {
			doubled++
		}
		if at != most+1 {
			reordered++
		}
		seen[at], most = true, max(most, at)
	}
	if !ordered {
		reordered = 0
	}
	if lost := most + 1 - len(seen); lost > 0 || doubled > 0 || reordered > 0 {
		s.Errorf("of %d records %d are lost, %d doubled, %d reordered", most+1, lost, doubled, reordered)
	}
	return len(seen)
}

// TestAThousandSwapsLoseNothing lets versions of a plugin follow each other under load.
func TestAThousandSwapsLoseNothing(t *testing.T) {
	plugin := guest(t, "identity")
	s := openSwapped(t, plugin, ", rate: 50000", ", order: input, concurrency: 4, batch: {maxRecords: 20}", "{file: {path: out.ndjson}}")
	running := s.Pipelines()[0].Pipeline
	const swaps = 1000
	for n := range swaps {
		s.drop(versioned(plugin, n))
		s.reload("vertex")
	}
	p := s.Pipelines()[0]
	if p.Pipeline != running || p.Phase() != pipeline.PhaseRunning {
		t.Error("the graph did not run on")
	}
	if c := s.Status().Pipelines[0].Config; c.Revision != swaps+1 {
		t.Errorf("revision %d", c.Revision)
	}
	s.end()
	if n := s.numbers(true); n < swaps {
		t.Errorf("only %d records moved", n)
	}
}

// edit replaces a part of the pipeline's file, and puts it in force.
func (s *swapped) edit(old, new, class string) {
	s.Helper()
	name := filepath.Join(s.dir, "p.yaml")
	text, err := os.ReadFile(name)
	if err != nil || !bytes.Contains(text, []byte(old)) {
		s.Fatalf("%v: there is no %q in %s", err, old, text)
	}
	if err := os.WriteFile(name, bytes.Replace(text, []byte(old), []byte(new), 1), 0o600); err != nil {
		s.Fatal(err)
	}
	s.reload(class)
}

// TestAVertexThatRestsIsRousedToDrain lets the middle vertex rest with records queued, and
// pauses the pipeline.
func TestAVertexThatRestsIsRousedToDrain(t *testing.T) {
	s := openSwapped(t, guest(t, "identity"), ", rate: 5000", ", concurrency: 2", "{file: {path: out.ndjson}}")
	vertex := func() control.VertexStatus { return s.Status().Pipelines[0].Vertices[1] }
	until := func(what string, is func() bool) {
		t.Helper()
		for range 12_000 { // a minute
			if is() {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
		t.Fatalf("%s: it did not come to that: %+v", what, s.Status().Pipelines[0])
	}
	instances := func() int {
		return s.Pipelines()[0].graph.Vertices[1].Transform.(interface{ Stats() wasm.Stats }).Stats().Instances
	}
	until("records move", func() bool { return vertex().RecordsOut > 100 })
	s.edit("concurrency: 2", "concurrency: 0", "live")
	until("its instances are gone", func() bool { return instances() == 0 })
	until("records are queued", func() bool { return vertex().Stages[0].Records > 100 })
	out := vertex().RecordsOut
	time.Sleep(20 * time.Millisecond)
	if got := vertex().RecordsOut; got != out {
		t.Errorf("%d records left the vertex while it rests", got-out)
	}
	if _, err := s.SetPhase("p", phase.Paused); err != nil {
		t.Fatal(err)
	}
	until("it is paused", func() bool { return s.Status().Pipelines[0].State == phase.StatePaused })
	if p := s.Status().Pipelines[0]; !p.Drained || vertex().RecordsOut <= out {
		t.Errorf("paused: %+v", p)
	}
	until("the instance is given back", func() bool { return instances() == 0 })
	if _, err := s.SetPhase("p", phase.Running); err != nil {
		t.Fatal(err)
	}
	until("records are queued again", func() bool { return vertex().Stages[0].Records > 0 })
	out = vertex().RecordsOut
	s.edit("concurrency: 0", "concurrency: 3", "live")
	until("it goes on", func() bool { return vertex().RecordsOut > out+100 })
	s.end()
	s.numbers(false)
}
