package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/project"
)

// newProjects is a folder that init has made, with compilers where make toolchains puts them.
func newProjects(t *testing.T) *workshop {
	t.Helper()
	for program, path := range fetched() {
		t.Setenv(program, path)
	}
	w := &workshop{t, t.TempDir()}
	t.Chdir(w.dir)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(w.dir, "cache")) // of plugins; go has one of its own
	t.Setenv("WASMILL_MEMORY_BUDGET", "64GiB")
	w.must("init")
	return w
}

// fetched are the compilers that make toolchains has fetched, by the variables that name them.
func fetched() map[string]string {
	found := map[string]string{}
	cache, err := os.UserCacheDir()
	if err != nil {
		return found
	}
	for _, name := range []string{"zig", "asc"} {
		path := filepath.Join(cache, "wasmill-toolchains", "bin", name)
		if _, err := os.Stat(path); err == nil && os.Getenv(strings.ToUpper(name)) == "" {
			found[strings.ToUpper(name)] = path
		}
	}
	if cache != "" && os.Getenv("GOCACHE") == "" {
		found["GOCACHE"] = filepath.Join(cache, "go-build") // else go would build its library anew
	}
	if os.Getenv("ZIG_GLOBAL_CACHE_DIR") == "" {
		found["ZIG_GLOBAL_CACHE_DIR"] = filepath.Join(cache, "zig")
	}
	return found
}

// must runs a command line that has to go well, and returns what it printed.
func (w *workshop) must(args ...string) string {
	w.Helper()
	exit, out, err := w.wasmill(args...)
	if exit != 0 {
		w.Fatalf("wasmill %v: exit %d\n%s%s", args, exit, out, err)
	}
	return out
}

// needs skips a test without the compiler of a language, or fails it where all have to be.
func needs(t *testing.T, l project.Language) {
	t.Helper()
	if _, err := project.Compilers().Find(t.Context(), l); err != nil {
		if os.Getenv("REQUIRE_GUESTS") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

// otherwise is an edit of the function of a map in C, after which it makes an X of each letter.
var otherwise = [2]string{"c >= 'a' && c <= 'z' ? c - 32 : c", "c ? 'X' : 'X'"}

// TestProjectsOfEveryLanguage builds and tests a plugin of each kind but map, which
// examples/newcomer has, with all else that somebody does who begins one.
func TestProjectsOfEveryLanguage(t *testing.T) {
	for _, l := range project.Languages() {
		t.Run(string(l), func(t *testing.T) {
			w := newProjects(t)
			needs(t, l)
			for _, kind := range project.Kinds() {
				if kind == abi.KindMap {
					continue
				}
				name := "my-" + string(kind)
				dir := filepath.Join("plugins", name)
				w.must("new", "udf", name, "--lang", string(l), "--kind", string(kind))
				if out := w.must("build", dir); !strings.HasPrefix(out, dir+".wasm: ") {
					t.Errorf("build says %q", out)
				}
				if out := w.must("test", dir); !strings.Contains(out, " passed") {
					t.Errorf("test says %q", out)
				}
			}
		})
	}
}

// TestTheLastGoodBuildStays has an edit that does not compile.
func TestTheLastGoodBuildStays(t *testing.T) {
	w := newProjects(t)
	needs(t, project.C)
	w.must("new", "udf", "shout", "--lang", "c")
	w.must("build", "shout")
	w.write("plugins/shout/shout.c", w.read("plugins/shout/shout.c")+"\n)(")
	exit, out, text := w.wasmill("build", "shout", "--json")
	var answer struct {
		OK     bool
		Output string
		Errors []struct{ Code string }
	}
	if err := json.Unmarshal([]byte(out), &answer); err != nil || exit != 2 || answer.OK || answer.Output == "" || len(answer.Errors) != 1 || answer.Errors[0].Code != "build-failed" {
		t.Errorf("exit %d, %v: %s%s", exit, err, out, text)
	}
	out = w.must("run", "plugins/shout/shout.yaml", "--quiet", "--set", "vertices.in.source.generator.count=1", "--set", "vertices.in.source.generator.template=hello")
	if out != "HELLO\n" {
		t.Errorf("run printed %q", out)
	}
}

func TestQuickstartNeedsNothing(t *testing.T) {
	w := &workshop{t, t.TempDir()}
	t.Chdir(w.dir)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(w.dir, "cache"))
	t.Setenv("TMPDIR", w.dir)
	w.write("wasmill.yaml", "plugins: {dirr: x}") // is of no interest
	exit, out, text := w.wasmill("quickstart", "--for", "50ms")
	if exit != 0 || !strings.Contains(out, " kept, ") || !strings.HasSuffix(out, "\n  wasmill init first && cd first\n  wasmill new udf shout --lang go\n  wasmill dev plugins/shout\n") {
		t.Errorf("exit %d: %s%s", exit, out, text)
	}
	var answer struct {
		OK         bool
		Read, Kept uint64
		Next       []string
	}
	exit, out, text = w.wasmill("quickstart", "--for", "2s", "--json") // long enough for thousands of records on a slow machine
	if err := json.Unmarshal([]byte(out), &answer); err != nil || exit != 0 || !answer.OK || answer.Kept == 0 || answer.Kept >= answer.Read/3 || answer.Kept <= answer.Read/5 || len(answer.Next) != 3 {
		t.Errorf("exit %d, %v: %s%s", exit, err, out, text)
	}
	if entries, err := os.ReadDir(w.dir); err != nil || len(entries) != 2 { // cache, wasmill.yaml
		t.Errorf("it leaves %v, %v", entries, err)
	}
	if exit, _, text := w.wasmill("quickstart", "--for=-1s"); exit != 2 || !strings.Contains(text, "--for is negative") {
		t.Errorf("exit %d: %s", exit, text)
	}
	if _, plugins, err := project.Quickstart(w.dir); err != nil {
		t.Error(err)
	} else if exit, out, text := w.wasmill("plugin", "check", filepath.Join(plugins, "only-posts.wasm"), "--config", os.DevNull); exit != 0 {
		t.Errorf("its plugin does not conform: %s%s", out, text)
	}
	if exit, out, text := w.wasmill("call", "plugins/only-posts.wasm", "--config", os.DevNull, "--input", "POST /a", "--input", "GET /b", "--input", "POS", "--input", "POST"); exit != 0 || strings.Count(out, "POST") != 2 || strings.Contains(out, "GET") {
		t.Errorf("exit %d: %s%s", exit, out, text)
	}
}
