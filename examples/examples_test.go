// Package examples_test runs every example and compares what it writes with
// what it should.
package examples_test

import (
	"bufio"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/stream"
)

// unordered are outputs whose lines come in no particular order.
var unordered = []string{
	"fan-out/alerts.log", "enrich/enriched.ndjson", "enrich/unknown.ndjson", "dead-letter/dead.ndjson", "per-minute/counts.ndjson", "percentiles/percentiles.ndjson", "join/orders.ndjson",
	"ordinary-program/best.ndjson", "ordinary-program/nameless.ndjson",
	"dedupe/orders.ndjson", "dedupe/duplicates.ndjson", "session-timeout/abandoned.ndjson", "session-timeout/done.ndjson", "exactly-once/totals.ndjson",
}

// changing is what another run, or another compiler of plugins, writes otherwise.
var changing = regexp.MustCompile(`("time"|"wasmill-plugin-hash"):"[^"]+"`)

func TestEveryExampleWritesWhatItPromises(t *testing.T) {
	pipelines, err := filepath.Glob("*/pipeline.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(pipelines) < 3 {
		t.Fatalf("found %v", pipelines)
	}
	for _, file := range pipelines {
		name := filepath.Dir(file)
		t.Run(name, func(t *testing.T) {
			dir := run(t, name)
			wanted, err := os.ReadDir(filepath.Join(name, "expected"))
			if os.IsNotExist(err) {
				return // a test in the example's own folder knows better
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range wanted {
				want, got := read(t, name, "expected", w.Name()), read(t, dir, "out", w.Name())
				if name == "dead-letter" {
					want, got = masked(want, ""), masked(got, dir+"/")
				}
				if slices.Contains(unordered, name+"/"+w.Name()) {
					want, got = sorted(want), sorted(got)
				}
				compare(t, w.Name(), got, want)
			}
		})
	}
}

// TestTheTestsOfExamplesPass runs what wasmill test runs in this folder, and in that of
// the plugins.
func TestTheTestsOfExamplesPass(t *testing.T) {
	var files []string
	for pattern, least := range map[string]int{"*/*_test.yaml": 4, "../plugins/*/*_test.yaml": 3} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) < least {
			t.Fatalf("found %v: %v", found, err)
		}
		files = append(files, found...)
	}
	tester, err := host.NewTester(t.Context(), host.Options{Set: []string{"plugins.dir=../plugins"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := tester.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	for _, file := range files {
		tests, err := host.LoadTests(file)
		if err != nil {
			t.Fatal(err)
		}
		tester.Run(t.Context(), file, tests, func(string) bool { return true }, func(done host.Tested) {
			t.Run(done.File+" "+done.Name, func(t *testing.T) {
				if stream.CodeOf(done.Err) == stream.PluginNotFound && os.Getenv("REQUIRE_GUESTS") == "" {
					t.Skip("its plugins are not built: run make plugins")
				}
				if done.Err != nil || done.Findings != nil {
					t.Errorf("%v, %+v", done.Err, done.Findings)
				}
			})
		})
	}
}

// run runs a copy of an example and returns its folder.
func run(t *testing.T, name string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(name)); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "checkpoints")); err != nil { // of a run by hand
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(name, "service")); err == nil {
		serve(t, filepath.Join(dir, "service"), filepath.Join(dir, "pipeline.yaml"))
	}
	o := host.Options{Files: []string{filepath.Join(dir, "pipeline.yaml")}, Set: []string{"plugins.dir=../plugins"}}
	h, err := host.Open(t.Context(), o)
	if stream.CodeOf(err) == stream.PluginNotFound && os.Getenv("REQUIRE_GUESTS") == "" {
		t.Skip("its plugins are not built: run make plugins")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := h.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	if err := h.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return dir
}

// serve starts the service of an example, on a free port, and puts that into the
// example's pipeline file. The service says on its first line where it listens.
func serve(t *testing.T, folder, pipeline string) {
	t.Helper()
	program := filepath.Join(folder, "service")
	if text, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, filepath.Join(folder, "main.go")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	c := exec.CommandContext(t.Context(), program, "-listen", "127.0.0.1:0")
	c.Stderr = t.Output()
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	at, err := url.Parse(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(read(t, pipeline), "")
	if err := os.WriteFile(pipeline, []byte(strings.ReplaceAll(text, "127.0.0.1:8090", at.Host)), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path ...string) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return strings.SplitAfter(string(data), "\n")
}

// masked returns lines without what changes, and without the folder of the run.
func masked(lines []string, dir string) []string {
	for i, l := range lines {
		lines[i] = changing.ReplaceAllString(strings.ReplaceAll(l, dir, ""), `$1:"…"`)
	}
	return lines
}

func sorted(lines []string) []string {
	slices.Sort(lines)
	return lines
}

func compare(t *testing.T, name string, got, want []string) {
	t.Helper()
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Errorf("%s, line %d:\ngot  %s\nwant %s", name, i+1, got[i], want[i])
			return
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s has %d lines, want %d", name, len(got)-1, len(want)-1)
	}
}
