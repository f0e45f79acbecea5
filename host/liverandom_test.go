package host

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/host/control/phase"
	"github.com/wasmill/wasmill/host/pipeline"
)

// liveRecords is how many records a live world moves, each of which has to come out once.
const liveRecords = 3000

// live is a pipeline that is edited, paused, swapped and crashed at random, and what is
// known of it.
type live struct {
	*rapid.T
	dir    string
	plugin []byte
	host   *Host
	stop   context.CancelFunc
	ended  chan error

	// The last valid file, and what is in the folder.
	edits       int // its description has this number
	concurrency int
	batch       int
	interval    string
	extra       bool // it has one more sink
	paused      bool
	version     int         // of the plugin
	mistaken    bool        // the file is not that one now
	asked       phase.Phase // by hand; empty = the file has its way
}

// text is the last valid file.
func (l *live) text() string {
	more, to, state := "", "", "running"
	if l.extra {
		more, to = "  - {name: extra, sink: drop}\n", "  - {from: f, to: extra}\n"
	}
	if l.paused {
		state = "paused"
	}
	return fmt.Sprintf(`name: p
description: edit %d
phase: %s
pauseGrace: 5s
checkpoint: {storage: file://./checkpoints, interval: %s}
vertices:
  - {name: numbers, source: {generator: {count: %d, rate: 10000, template: '{{seq}}'}}}
  - {name: f, udf: {plugin: f}, concurrency: %d, batch: {maxRecords: %d}}
  - {name: out, sink: {file: {path: out.ndjson}}}
%sedges:
  - {from: numbers, to: f}
  - {from: f, to: out}
%s`, l.edits, state, l.interval, liveRecords, l.concurrency, l.batch, more, to)
}

func (l *live) save(name string, data []byte) {
	name = filepath.Join(l.dir, name)
	if err := errors.Join(os.WriteFile(name+".new", data, 0o600), os.Rename(name+".new", name)); err != nil {
		l.Fatal(err)
	}
}

// open starts the process anew. The phase of its file is in force then.
func (l *live) open() {
	var err error
	l.host, err = Open(context.Background(), Options{
		Files: []string{filepath.Join(l.dir, "p.yaml")},
		Set:   []string{"data.dir=" + filepath.Join(l.dir, "data"), "cache.dir=" + filepath.Join(l.dir, "cache"), "plugins.dir=" + l.dir},
	})
	if err != nil {
		l.Fatal(err)
	}
	l.asked, l.ended = "", make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	l.stop = cancel
	go func() { l.ended <- l.host.Run(ctx) }()
}

// close ends it and returns how the run ended.
func (l *live) close() error {
	l.stop()
	err := <-l.ended
	l.ended <- err
	if e := l.host.Close(context.Background()); e != nil {
		l.Error(e)
	}
	return err
}

// over says that the run has ended, as all records are through.
func (l *live) over() bool { return l.host.Pipelines()[0].Phase() == pipeline.PhaseStopped }

// reload takes what is in the folder, and checks that it is in force, or why not.
func (l *live) reload(want string) {
	all, err := l.host.Reload(context.Background())
	switch {
	case l.over():
	case want == "" && err != nil:
		l.Fatalf("the file is refused: %v\n%s", err, l.text())
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		l.Fatalf("wanted to hear of %q, got %v: %+v", want, err, all)
	}
}

// edit changes one thing of the file.
func (l *live) edit(t *rapid.T) {
	switch rapid.IntRange(0, 4).Draw(t, "what") {
	case 0:
		l.concurrency = rapid.IntRange(1, 8).Draw(t, "concurrency")
	case 1:
		l.batch = rapid.IntRange(1, 500).Draw(t, "batch")
	case 2:
		l.interval = rapid.SampledFrom([]string{"20ms", "100ms", "1h"}).Draw(t, "interval")
	case 3:
		l.extra = !l.extra
	case 4:
		l.paused, l.asked = !l.paused, ""
	}
	l.edits++
	l.mistaken = false
	l.save("p.yaml", []byte(l.text()))
	l.reload("")
}

// mistake breaks the file.
func (l *live) mistake(t *rapid.T) {
	wrong := rapid.SampledFrom([][3]string{
		{"vertices:", "vertices: [", "p.yaml"}, {"edges:", "edgse:", "edges"}, {"plugin: f", "plugin: g", "plugin"},
		{"concurrency: ", "concurrency: -", "concurrency"}, {"to: out", "to: nowhere", "nowhere"}, {"name: p", "name: q", "name"},
		{"file://./checkpoints", "file://./elsewhere", "checkpoint.storage"},
	}).Draw(t, "mistake")
	l.mistaken = true
	l.save("p.yaml", []byte(strings.Replace(l.text(), wrong[0], wrong[1], 1)))
	l.reload(wrong[2])
}

// swap drops another version of the plugin, or one that is broken and then the one before.
func (l *live) swap(t *rapid.T) {
	if l.mistaken {
		return
	}
	if rapid.Bool().Draw(t, "broken") {
		l.save("f.wasm", bytes.Repeat([]byte("no plugin"), 100))
		l.reload("f.wasm")
	} else {
		l.version++
	}
	l.save("f.wasm", versioned(l.plugin, l.version))
	l.reload("")
}

// ask changes the phase by hand.
func (l *live) ask(t *rapid.T) {
	l.asked = rapid.SampledFrom([]phase.Phase{phase.Running, phase.Paused}).Draw(t, "phase")
	if _, err := l.host.SetPhase("p", l.asked); err != nil {
		l.Fatal(err)
	}
}

// crash ends everything at once and starts it again.
func (l *live) crash(*rapid.T) {
	if err := l.close(); err != nil && !errors.Is(err, context.Canceled) {
		l.Fatal(err)
	}
	l.mistaken = false
	l.save("p.yaml", []byte(l.text()))
	l.open()
}

// check compares what runs with the last valid file.
func (l *live) check(*rapid.T) {
	p := l.host.Pipelines()[0]
	if l.over() {
		return
	}
	if got, want := p.Config.Description, fmt.Sprint("edit ", l.edits); got != want {
		l.Fatalf("%q runs, and %q is the last valid file", got, want)
	}
	s := p.Status()
	want := phase.Running
	if l.paused {
		want = phase.Paused
	}
	if l.asked != "" {
		want = l.asked
	}
	interval := s.Checkpoint.Interval // unknown before it runs
	if s.Desired != want || s.Vertices[1].Permits != l.concurrency || interval != nil && *interval != map[string]float64{"20ms": 0.02, "100ms": 0.1, "1h": 3600}[l.interval] {
		l.Fatalf("%s, %d calls at once, interval %v; wanted %s, %d, %s", s.Desired, s.Vertices[1].Permits, interval, want, l.concurrency, l.interval)
	}
}

// settle lets everything through, and counts it.
func (l *live) settle() {
	l.paused, l.mistaken = false, false
	l.edits++
	l.save("p.yaml", []byte(l.text()))
	l.reload("")
	if _, err := l.host.SetPhase("p", phase.Running); err != nil {
		l.Fatal(err)
	}
	select {
	case err := <-l.ended:
		if l.ended <- err; err != nil {
			l.Fatal(err)
		}
	case <-time.After(time.Minute):
		l.Fatalf("it does not end: %+v", l.host.Status())
	}
	if err := l.close(); err != nil {
		l.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(l.dir, "out.ndjson"))
	if err != nil {
		l.Fatal(err)
	}
	seen := make(map[string]int)
	for line := range strings.Lines(string(text)) {
		seen[line]++
	}
	for line, n := range seen {
		if n != 1 {
			l.Errorf("record %.20q came out %d times", line, n)
		}
	}
	if len(seen) != liveRecords {
		l.Errorf("%d records came out, of %d", len(seen), liveRecords)
	}
}

// fewer makes rapid check less often, as each check takes a while.
func fewer(t *testing.T, checks int) {
	if os.Getenv("SOAK") != "" {
		checks *= 50
	}
	f := flag.Lookup("rapid.checks")
	before := f.Value.String()
	if err := f.Value.Set(fmt.Sprint(checks)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Value.Set(before) })
}

// TestWhateverHappensTheLastValidFileRuns makes random edits, mistakes, pauses, swaps and
// crashes: what runs is what the last valid file says, and each record comes out once.
func TestWhateverHappensTheLastValidFileRuns(t *testing.T) {
	plugin := guest(t, "identity")
	fewer(t, 6)
	rapid.Check(t, func(r *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		l := &live{T: r, dir: dir, plugin: plugin, concurrency: 2, batch: 100, interval: "20ms"}
		l.save("f.wasm", versioned(plugin, 0))
		l.save("p.yaml", []byte(l.text()))
		l.open()
		defer func() {
			if r.Failed() {
				l.close()
			}
		}()
		r.Repeat(map[string]func(*rapid.T){
			"edit": l.edit, "mistake": l.mistake, "swap": l.swap, "ask": l.ask, "crash": l.crash,
			"wait": func(t *rapid.T) { time.Sleep(time.Duration(rapid.IntRange(1, 50).Draw(t, "ms")) * time.Millisecond) },
			"":     l.check,
		})
		l.settle()
	})
}
