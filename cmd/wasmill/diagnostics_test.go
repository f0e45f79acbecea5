package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/wasmill/wasmill/host/stream"
)

// unpacked is what an archive has, by name.
func (w *background) unpacked(data []byte) map[string]string {
	w.Helper()
	plain, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		w.Fatal(err)
	}
	files := map[string]string{}
	for in := tar.NewReader(plain); ; {
		head, err := in.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			w.Fatal(err)
		}
		text, err := io.ReadAll(in)
		if err != nil {
			w.Fatal(err)
		}
		name, ok := strings.CutPrefix(head.Name, "wasmill-diagnostics-a/")
		if !ok {
			w.Errorf("%s is in no folder", head.Name)
		}
		if strings.HasSuffix(name, ".gz") {
			inner, err := gzip.NewReader(bytes.NewReader(text))
			if err != nil {
				w.Fatal(err)
			}
			if text, err = io.ReadAll(inner); err != nil {
				w.Fatal(err)
			}
		}
		files[name] = string(text)
	}
}

// diagnosed runs diagnostics of a, which has to have some files, and to say of others that
// they are missing.
func (w *background) diagnosed(s secrets, has, lacks []string, args ...string) map[string]string {
	w.Helper()
	exit, out, said := w.wasmill(append([]string{"diagnostics", "a", "-o", "-"}, args...)...)
	if exit != 0 {
		w.Fatalf("exit %d: %s%s", exit, out, said)
	}
	files := w.unpacked([]byte(out))
	for _, name := range has {
		if files[name] == "" {
			w.Errorf("there is no %s: %s", name, files["missing.txt"])
		}
		if strings.HasSuffix(name, ".json") && !(name == "spec.json" && w.spec != "") && !json.Valid([]byte(files[name])) {
			w.Errorf("%s is no JSON: %s", name, files[name])
		}
	}
	for _, name := range lacks {
		if !strings.Contains("\n"+files["missing.txt"], "\n"+name+": ") || files[name] != "" {
			w.Errorf("%s is not missing: %s", name, files["missing.txt"])
		}
	}
	for name, text := range files {
		if found := s.in([]byte(text)); found != nil {
			w.Errorf("%s has %q: %s", name, found, text)
		}
	}
	if found := s.in([]byte(said)); found != nil {
		w.Errorf("it says %q: %s", found, said)
	}
	return files
}

// TestInstanceDiagnosticsInEveryState plants secrets wherever they may stand, and finds none in the
// archives of an instance that runs, hangs, has failed, is deleted and is damaged.
func TestInstanceDiagnosticsInEveryState(t *testing.T) {
	w := newBackground(t)
	s := secrets{}
	secret := func(what string) string {
		s[what] = fmt.Sprintf("PLANTED%026d", len(s))
		return s[what]
	}
	t.Setenv("STORE_ID", secret("a variable that the settings name"))
	t.Setenv("DATABASE_PASSWORD", secret("a variable of another program"))
	w.write("s3.secret", secret("a file that the settings name")+"\n")
	w.write("wasmill.yaml", "s3: {accessKey: {env: STORE_ID}, secretKey: {file: s3.secret}}\n# apiKey: "+secret("a comment in the settings")+"\n")
	generators := `vertices:
  - {name: gen, source: {generator: {count: 1, template: '{"apiKey": "` + secret("a template") + `", "url": "https://u:` + secret("a URL") + `@host/x"}'}}}
  - {name: more, source: {generator: {count: 1, template: x}}}
  - {name: none, sink: drop}
`
	pipeline := strings.NewReplacer("vertices:\n", generators, "edges: [", "edges: [{from: gen, to: none}, {from: more, to: none}, ").Replace(followed)
	w.write("p.yaml", "# password: "+secret("a comment with")+" spaces\n"+pipeline)
	w.does(0, "create", "a", "-f", "p.yaml", "--wait", "--set", "vertices.more.source.generator.template=password="+secret("a flag")+" amqp://u:"+secret("a URL in a flag")+"@host")
	w.grows("out.txt", 2)
	w.write("cache/wasmill/wasm/quarantine/0123", `{"deaths":["x"],"alone":true,"why":"fatal error"}`)
	log, err := os.OpenFile("home/a/log", os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	for what, value := range s {
		if strings.Contains(what, "variable") || strings.Contains(what, "file") {
			fmt.Fprintf(log, `{"msg":"a plugin says %s"}`+"\n", value)
		}
	}
	fmt.Fprintf(log, `{"msg":"Authorization: Bearer %s","url":"http://x/?token=%s"}`+"\n", secret("a header in the log"), secret("a query in the log"))
	log.Close()

	always := []string{"instance.json", "spec.json", "pipeline.yaml", "log", "seen.json", "checkpoints.json", "plugins.json", "quarantine.json", "revisions.json", "versions.json", "machine.json"}
	asked := []string{"status.json", "readiness.json", "metrics.txt", "goroutines.txt", "heap.pb.gz"}
	files := w.diagnosed(s, append(always, asked...), []string{"log.1", "error"})
	for name, wants := range map[string][]string{
		"spec.json": {"{env: STORE_ID}", "file: s3.secret", "password=***", "amqp://***@host"}, "pipeline.yaml": {`"apiKey": "***"`, "https://***@host/x", "plugin: identity"},
		"log": {"the instance is running", "a plugin says ***"}, "metrics.txt": {"wasmill_"}, "goroutines.txt": {"goroutine "}, "plugins.json": {`"name": "identity"`, `"sha256": "`},
		"checkpoints.json": {"file://" + w.dir, `"state": "complete"`}, "revisions.json": {`"revision": 1`}, "machine.json": {`"cpus": `, `"open files"`}, "seen.json": {`"state": "running"`}, "quarantine.json": {`"sha256": "0123"`, `"quarantined": true`},
	} {
		for _, want := range wants {
			if !strings.Contains(files[name], want) {
				t.Errorf("%s has no %q: %s", name, want, files[name])
			}
		}
	}

	worker := w.stored().Worker
	if err := syscall.Kill(worker, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	w.diagnosed(s, always, asked, "--timeout", "200ms")
	if err := syscall.Kill(worker, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	w.does(0, "shutdown", "a")
	w.diagnosed(s, always, asked)
	record, spec := w.read("home/a/instance.json"), w.read("home/a/spec.json")
	w.write("home/a/instance.json", strings.Replace(record, `"stopped"`, `"deleting"`, 1))
	w.diagnosed(s, always, asked)
	w.write("home/a/instance.json", strings.Replace(record, `"stopped"`, `"failed"`, 1))
	w.write("home/a/pipeline.yaml", w.read("home/a/pipeline.yaml")+"broken: [")
	w.diagnosed(s, always, asked)
	w.spec = spec[:len(spec)*4/5]
	w.write("home/a/spec.json", w.spec)
	rest := slices.DeleteFunc(slices.Clone(always), func(name string) bool {
		return slices.Contains([]string{"seen.json", "checkpoints.json", "plugins.json", "quarantine.json", "revisions.json"}, name)
	})
	// without the spec nobody knows which file and variable its settings refer to
	delete(s, "a variable that the settings name")
	delete(s, "a file that the settings name")
	w.diagnosed(s, rest, append(asked, "seen.json", "checkpoints.json", "plugins.json", "quarantine.json", "revisions.json"))
}

// TestInstanceDiagnosticsSaysWhatItWrote, and writes over no file.
func TestInstanceDiagnosticsSaysWhatItWrote(t *testing.T) {
	w := newBackground(t)
	w.does(0, "create", "a", "-f", "p.yaml", "--wait")
	w.does(0, "shutdown", "a")
	text := w.does(0, "diagnostics", "a", "-o", "d.tar.gz")
	if !strings.Contains(text, "wrote d.tar.gz (") || !strings.Contains(text, "missing: metrics.txt: ") {
		t.Errorf("it says %s", text)
	}
	before := w.read("d.tar.gz")
	if text := w.does(2, "diagnostics", "a", "-o", "d.tar.gz"); !strings.Contains(text, "stays as it is") || w.read("d.tar.gz") != before {
		t.Errorf("it says %s", text)
	}
	var answer struct {
		File    string
		Bytes   int64
		Files   []archived
		Missing []string
	}
	exit := w.asJSON(&answer, "diagnostics", "a")
	info, err := os.Stat(answer.File)
	if exit != 0 || err != nil || info.Size() != answer.Bytes || info.Mode().Perm() != 0o600 || len(answer.Files) < 10 || len(answer.Missing) == 0 {
		t.Errorf("exit %d, %v: %+v", exit, err, answer)
	}
	if found, _ := filepath.Glob("wasmill-diagnostics-a-*.tar.gz"); len(found) != 1 {
		t.Errorf("there is %v", found)
	}
	if text := w.does(3, "diagnostics", "a", "-o", "nowhere/d.tar.gz"); !strings.Contains(text, string(stream.Environment)) {
		t.Errorf("it says %s", text)
	}
}

// TestInstanceCheckpointsByItsName looks at them from another folder, with the settings of the instance.
func TestInstanceCheckpointsByItsName(t *testing.T) {
	w := newBackground(t)
	w.does(0, "create", "a", "-f", "p.yaml", "--wait")
	w.grows("out.txt", 2)
	w.does(0, "shutdown", "a")
	t.Chdir(t.TempDir())
	epochs := w.epochs("--instance", "a")
	if !strings.Contains(epochs, "complete") {
		t.Errorf("it has %s", epochs)
	}
	newest, _, _ := strings.Cut(epochs, " ")
	for _, line := range []string{"show --instance a", "verify --instance a", "restore --instance a", "restore " + newest + " --instance a"} {
		w.does(0, append([]string{"checkpoint"}, strings.Fields(line)...)...)
	}
	w.does(2, "checkpoint", "list", "--instance", "a", "--storage", "file://./x", "--pipeline", "a")
	w.does(2, "checkpoint", "restore", "--instance", "a", "--storage", "file://./x", "--pipeline", "a")
	w.does(2, "checkpoint", "list", "--instance", "a", "--set", "x=1")
	w.does(0, "checkpoint", "delete", newest, "--instance", "a", "--force", "--yes")
	if now := w.epochs("--instance", "a"); strings.Contains(now, newest+" complete") {
		t.Errorf("it still has %s", now)
	}
}
