package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/wasmill/wasmill/host/instance"
)

// followed reads a file as it grows, and shows each line of it once.
const followed = `name: p
checkpoint: {interval: 50ms, storage: file://./ckpt}
vertices:
  - {name: in, source: {file: {path: in.txt, follow: true, poll: 10ms}}}
  - {name: f, udf: {plugin: identity}, order: input, concurrency: 3}
  - {name: out, sink: {file: {path: out.txt}}}
edges: [{from: in, to: f}, {from: f, to: out}]
`

// background is a workshop with instances, which end with the test.
type background struct {
	*workshop
	spec    string            // that a test changes
	changed map[string]string // files that a test has changed, as they were
}

func newBackground(t *testing.T) *background {
	t.Helper()
	w := &background{workshop: newWorkshop(t)}
	home := filepath.Join(w.dir, "home")
	t.Setenv("WASMILL_HOME", home)
	w.write("p.yaml", followed)
	t.Cleanup(func() {
		entries, _ := filepath.Glob(filepath.Join(w.dir, "*", "*", "spec.json")) // in whatever homes
		for _, e := range entries {
			for _, lock := range []string{"lock", "worker"} {
				var o instance.Owner
				data, err := os.ReadFile(filepath.Join(filepath.Dir(e), lock))
				if err == nil && json.Unmarshal(data, &o) == nil && o.PID > 0 {
					_ = syscall.Kill(o.PID, syscall.SIGKILL)
				}
			}
		}
	})
	return w
}

// does runs a command line that has to end with a code, and returns what it says.
func (w *background) does(exit int, args ...string) string {
	w.Helper()
	got, out, text := w.wasmill(args...)
	if got != exit {
		log, _ := os.ReadFile(filepath.Join(w.dir, "home", "a", "log"))
		w.Fatalf("%v: exit %d: %s%s\n%s", args, got, out, text, log)
	}
	return out + text
}

// seen is what status tells of an instance.
func (w *background) seen(name string) instance.Seen {
	w.Helper()
	var answer struct{ Instance instance.Seen }
	if exit := w.asJSON(&answer, "status", name); exit != 0 {
		w.Fatalf("status of %s: exit %d", name, exit)
	}
	return answer.Instance
}

// until polls until something is so.
func (w *background) until(what string, so func() bool) {
	w.Helper()
	if !soon(so) {
		w.Fatalf("%s: it does not come", what)
	}
}

// tree lists the files below a folder with their sums.
func (w *background) tree(folder string) string {
	w.Helper()
	var text strings.Builder
	err := filepath.WalkDir(filepath.Join(w.dir, folder), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		fmt.Fprintf(&text, "%s %x\n", strings.TrimPrefix(path, w.dir), sha256.Sum256(data))
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		w.Fatal(err)
	}
	return text.String()
}

func (w *background) append(name, text string) {
	w.Helper()
	f, err := os.OpenFile(filepath.Join(w.dir, name), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		w.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		w.Fatal(err)
	}
	f.Close()
}

// stored is seen, without asking the worker.
func (w *background) stored() instance.Seen {
	w.Helper()
	var answer struct{ Instances []instance.Seen }
	if exit := w.asJSON(&answer, "list"); exit != 0 || len(answer.Instances) != 1 {
		w.Fatalf("list: exit %d: %+v", exit, answer)
	}
	return answer.Instances[0]
}
