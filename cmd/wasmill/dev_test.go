package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/project"
)

// watched is a call of dev, line by line.
type watched struct {
	*testing.T
	lines chan string
	end   func() int // ends it, and returns its exit code
}

// devs calls dev in this process.
func (w *workshop) devs(args ...string) *watched {
	w.Helper()
	out, in := io.Pipe()
	ctx, cancel := context.WithCancel(w.Context())
	d := &watched{T: w.T, lines: make(chan string, 1000)}
	exit := make(chan int, 1)
	go func() {
		exit <- run(ctx, append([]string{"dev"}, args...), stdio{strings.NewReader(""), in, in})
		in.Close()
	}()
	go func() {
		defer close(d.lines)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			select {
			case d.lines <- lines.Text():
			case <-w.Context().Done():
			}
		}
	}()
	d.end = func() int { cancel(); return <-exit }
	return d
}

// until waits for a line that has a text in it, and returns it.
func (d *watched) until(text string) string {
	d.Helper()
	var seen []string
	late := time.After(time.Minute)
	for {
		select {
		case line, ok := <-d.lines:
			if strings.Contains(line, text) {
				return line
			}
			if seen = append(seen, line); ok {
				continue
			}
		case <-late:
		}
		d.Fatalf("no line has %q:\n%s", text, strings.Join(seen, "\n"))
	}
}

// TestDevSwapsEachEditIn edits the function, breaks it, mends it, and edits the pipeline.
func TestDevSwapsEachEditIn(t *testing.T) {
	w := newProjects(t)
	needs(t, project.C)
	w.must("new", "udf", "shout", "--lang", "c")
	dir := filepath.Join("plugins", "shout")
	file, pipeline := filepath.Join(dir, "shout.c"), filepath.Join(dir, "shout.yaml")
	w.write(pipeline, strings.Replace(w.read(pipeline), "rate: 5", "rate: 100", 1))
	source := w.read(file)

	d := w.devs(dir)
	d.until("built plugins/shout.wasm: ")
	d.until("pipeline shout runs; this is what shout emits")
	d.until("Z HELLO ")
	changed := strings.Replace(source, otherwise[0], otherwise[1], 1)
	w.write(file, changed+"\n)(")
	d.until("error: expected")
	d.until("error: plugins/shout: clang does not compile it")
	d.until("Z HELLO ") // the last good one goes on
	w.write(file, changed)
	d.until("built plugins/shout.wasm: ")
	d.until("in force: ")
	d.until("Z XXXXX")
	w.write(pipeline, strings.Replace(w.read(pipeline), "rate: 100", "rate: many", 1))
	d.until("refused, and what was before goes on: ")
	d.until("Z XXXXX")
	w.write(pipeline, strings.Replace(w.read(pipeline), "rate: many", "rate: 50", 1))
	d.until("in force: ")
	d.until("Z XXXXX")
	if exit := d.end(); exit != 0 {
		t.Errorf("exit %d", exit)
	}
}

// TestDevBeginsWithWhatDoesNotRun begins with a source that does not compile, and a
// pipeline without the plugin; a pipeline that ends begins anew.
func TestDevBeginsWithWhatDoesNotRun(t *testing.T) {
	w := newProjects(t)
	needs(t, project.C)
	w.must("new", "udf", "shout", "--lang", "c")
	file, pipeline := filepath.Join("plugins", "shout", "shout.c"), filepath.Join("plugins", "shout", "shout.yaml")
	source, whole := w.read(file), w.read(pipeline)
	w.write(file, "broken")
	w.write(pipeline, strings.Replace(whole, "{plugin: shout}", "{plugin: shuot}", 1))

	d := w.devs(filepath.Join("plugins", "shout"), "--json")
	event := func(name string) (fields map[string]any) {
		t.Helper()
		line := d.until(`"event":"` + name + `"`)
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		return fields
	}
	if f := event("failed"); !strings.Contains(f["output"].(string), "shout.c") {
		t.Errorf("%v", f)
	}
	w.write(file, source)
	event("built")
	event("failed") // there is no plugin shuot
	w.write(pipeline, strings.Replace(whole, "rate: 5", "count: 1", 1))
	event("running")
	if f := event("record"); !strings.HasPrefix(f["record"].(map[string]any)["value"].(string), "HELLO ") {
		t.Errorf("%v", f)
	}
	event("ended")
	w.write(pipeline, strings.Replace(whole, "rate: 5", "count: 2", 1))
	event("running")
	event("ended")
	if exit := d.end(); exit != 0 {
		t.Errorf("exit %d", exit)
	}
}
