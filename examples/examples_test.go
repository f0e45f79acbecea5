// Package examples_test runs every example and compares what it writes with
// what it should.
package examples_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/stream"
)

// unordered are outputs whose lines come in no particular order.
var unordered = []string{"fan-out/alerts.log"}

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
				if slices.Contains(unordered, name+"/"+w.Name()) {
					want, got = sorted(want), sorted(got)
				}
				compare(t, w.Name(), got, want)
			}
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

func read(t *testing.T, path ...string) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return strings.SplitAfter(string(data), "\n")
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
