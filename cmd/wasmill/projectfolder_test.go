package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/project"
)

// TestCommandsFindTheirProject calls those for who writes plugins in the folder of one, in
// others, and outside: all use the settings of the project, and its plugins folder.
func TestCommandsFindTheirProject(t *testing.T) {
	w := newProjects(t)
	needs(t, project.C)
	w.write("wasmill.yaml", "plugins: {dir: built}\nlog: {level: warn}\n")
	w.must("new", "udf", "shout", "--lang", "c", "--dir", "plugins/shout")
	w.write("src/main.go", "package main\n")
	root := w.dir
	for _, test := range []struct {
		folder string
		args   []string
		out    string // begins so, or has this line
	}{
		{"plugins/shout", []string{"build"}, "../../built/shout.wasm: "},
		{"plugins/shout", []string{"test"}, "2 tests passed\n"},
		{"plugins/shout", []string{"call", "shout", "--input", "a"}, "A\n"},
		{"plugins/shout", []string{"call", ".", "--input", "a"}, "A\n"},
		{"plugins/shout/wasmill", []string{"build", ".."}, "../../../built/shout.wasm: "},
		{"src", []string{"build", "../plugins/shout"}, "../built/shout.wasm: "},
		{"src", []string{"test", "../plugins/shout"}, "2 tests passed\n"},
		{"src", []string{"new", "udf", "visits", "--lang", "c"}, "visits is a plugin of kind map in C: its function is in ../built/visits/visits.c\n"},
		{"built", []string{"build", "visits"}, "visits.wasm: "},
		{"src", []string{"test", "visits"}, "2 tests passed\n"},
		{"src", []string{"build", "visits"}, "../built/visits.wasm: "},
		{"src", []string{"plugin", "check", "visits"}, "ok     processes one record\n"},
		{"..", []string{"build", filepath.Join(filepath.Base(root), "plugins/shout")}, filepath.Join(filepath.Base(root), "built/shout.wasm") + ": "},
		{"..", []string{"test", filepath.Join(filepath.Base(root), "plugins/shout/shout_test.yaml")}, "2 tests passed\n"},
		{"plugins/shout", []string{"build", "--plugins", "../../other"}, "../../other/shout.wasm: "},
		{"plugins/shout", []string{"build", "--config", "../../wasmill.yaml"}, "built/shout.wasm: "},
	} {
		t.Chdir(filepath.Join(root, test.folder))
		if out := w.must(test.args...); !strings.HasPrefix(out, test.out) && !strings.Contains(out, "\n"+test.out) {
			t.Errorf("in %s, %v: got %q, want %q", test.folder, test.args, out, test.out)
		}
	}
	if header, _, _ := strings.Cut(w.read("built/visits/visits.yaml"), "\n"); !strings.HasSuffix(header, "$schema=../../.wasmill/pipeline.schema.json") {
		t.Errorf("its pipeline begins with %q", header)
	}
	t.Chdir(filepath.Join(root, "plugins/shout"))
	d := w.devs()
	d.until("built ../../built/shout.wasm: ")
	d.until("pipeline shout runs; this is what shout emits")
	d.until("Z HELLO ")
	if exit := d.end(); exit != 0 {
		t.Errorf("exit %d", exit)
	}
	t.Chdir(root)
	if err := os.RemoveAll("plugins/shout/built"); err != nil { // of --config
		t.Fatal(err)
	}
	for _, stray := range []string{"plugins/shout/plugins", "plugins/shout/data", "src/plugins", "src/built", "../plugins"} {
		if isThere(stray) {
			t.Errorf("there is %s", stray)
		}
	}
}

// TestAFolderWinsOverTheNameOfAPlugin has both, where the name alone means the plugin.
func TestAFolderWinsOverTheNameOfAPlugin(t *testing.T) {
	w := newProjects(t)
	needs(t, project.C)
	w.must("new", "udf", "shout", "--lang", "c")
	for _, args := range [][]string{{"build", "shout"}, {"test", "shout"}} {
		w.must(args...)
	}
	d := w.devs("shout")
	d.until("built plugins/shout.wasm: ")
	if exit := d.end(); exit != 0 {
		t.Errorf("exit %d", exit)
	}
	w.write("shout/notes", "")
	for _, command := range []string{"build", "dev"} {
		if exit, _, text := w.wasmill(command, "shout"); exit != 2 || !strings.Contains(text, "shout: there is no source of a plugin in the folder") {
			t.Errorf("%s: exit %d: %s", command, exit, text)
		}
	}
	if exit, _, text := w.wasmill("test", "shout"); exit != 2 || !strings.Contains(text, "shout: there is no test file in the folder") {
		t.Errorf("exit %d: %s", exit, text)
	}
	w.write("plugins/only.wasm", string(abitest.Identity())) // which has no source here
	if exit, _, text := w.wasmill("build", "only"); exit != 2 || !strings.Contains(text, "only: there is no such folder") {
		t.Errorf("exit %d: %s", exit, text)
	}
}
