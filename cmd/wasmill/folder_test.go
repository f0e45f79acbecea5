package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestAFolderIsRunUntilTheEnd: a broken file beside one that ends, which is mended.
func TestAFolderIsRunUntilTheEnd(t *testing.T) {
	w := newWorkshop(t)
	w.write("pipelines/in.txt", "one\n")
	w.write("pipelines/p.yaml", plain)
	other := strings.NewReplacer("name: p\n", "name: q\n", "out.txt", "q.txt").Replace(plain)
	w.write("pipelines/q.yaml", strings.Replace(other, "order:", "ordr:", 1))
	log, err := os.Create(filepath.Join(w.dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	w.runsUntilTheEnd(exe, log, []string{"run", "--set", "admin.listen=unix:admin.sock"})
	says := func(what string) {
		t.Helper()
		if !soon(func() bool { return regexp.MustCompile(what).MatchString(w.read("log")) }) {
			t.Fatalf("it does not say %q: %s", what, w.read("log"))
		}
	}
	says(`"level":"ERROR","msg":"the pipeline does not run, until its file is mended","pipeline":"q","file":"pipelines/q.yaml","cause":"pipelines/q.yaml:7:5 \(vertices\[1\].ordr\): `)
	says(`"msg":"the pipeline has ended","pipeline":"p"`)
	says(`"msg":"no pipeline runs: waiting for a pipeline file in pipelines"`)
	exit, out, text := w.wasmill("status", "--set", "admin.listen=unix:admin.sock")
	if exit != 0 || !strings.HasPrefix(out, "p: stopped, revision 1 (") || !strings.Contains(out, "\nq: failed\nits file is not in force as it is now: pipelines/q.yaml:7:5") {
		t.Errorf("the status is %d: %s%s", exit, out, text)
	}
	w.write("pipelines/q.yaml", other)
	says(`"msg":"the pipeline begins","pipeline":"q"`)
	says(`"msg":"the pipeline has ended","pipeline":"q"`)
	if got := w.read("pipelines/q.txt"); got != "one\n" {
		t.Errorf("the mended one has written %q", got)
	}
}

// TestAFolderThatIsNotFollowedHasToBeRight as before anything came and went.
func TestAFolderThatIsNotFollowedHasToBeRight(t *testing.T) {
	w := newWorkshop(t)
	w.write("pipelines/in.txt", "one\n")
	w.write("pipelines/p.yaml", plain)
	if exit, _, text := w.wasmill("run", "--follow=false"); exit != 0 || w.read("pipelines/out.txt") != "one\n" {
		t.Errorf("exit %d: %s", exit, text)
	}
	w.write("pipelines/q.yaml", "name: [")
	if exit, _, text := w.wasmill("run", "--follow=false"); exit != 2 || !strings.Contains(text, "q.yaml:1") {
		t.Errorf("exit %d: %s", exit, text)
	}
	if exit, _, text := w.wasmill("run", "pipelines/q.yaml"); exit != 2 || !strings.Contains(text, "q.yaml:1") {
		t.Errorf("named: exit %d: %s", exit, text)
	}
}
