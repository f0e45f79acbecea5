package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/abitest"
)

// nobody is who runs wasmill where permissions are to count and the tests run as root.
const nobody = 65534

// blunder is a kind of mistake with pipelines, and command lines that make it.
type blunder struct {
	kind  string
	lines []string
}

// blunders are those that people make who begin; with languages there are those of mistakes. PORT
// is a port that somebody else listens on. What is locked no user but root may read, and what is
// fixed none but root may write.
func blunders() []blunder {
	return []blunder{
		{"typo in YAML", []string{
			"validate indent.yaml", "validate tab.yaml", "validate key.yaml", "validate type.yaml", "validate quote.yaml", "validate twice.yaml",
			"run p.yaml --set vertices.f.concurency=3", "run p.yaml --set admin.lisen=off", "run p.yaml --config key.yaml",
		}},
		{"missing export", []string{"validate noexports.yaml", "plugin inspect noexports", "plugin check noexports", "call noexports --input x", "validate half.yaml", "plugin inspect half"}},
		{"plugin not found", []string{"validate misspelt.yaml", "validate p.yaml --set plugins.dir=empty", "validate p.yaml --set plugins.dir=nowhere", "call identiti --input x", "plugin inspect nowhere.wasm"}},
		{"wrong path", []string{"run nowhere.yaml", "run plugins", "validate in.txt", "run lost.yaml", "run astray.yaml", "run p.yaml --config nowhere.yaml", "test nowhere", "plan p.yaml nowhere.yaml"}},
		{"port taken", []string{"run p.yaml --set admin.listen=127.0.0.1:PORT", "run p.yaml --set admin.listen=192.0.2.1:7676", "run p.yaml --set admin.listen=unix:in.txt", "status --admin 127.0.0.1:1"}},
		{"no permission", []string{
			"run locked.yaml", "run p.yaml --config locked.yaml", "run unreadable.yaml", "run unwritable.yaml", "run p.yaml --set plugins.dir=locked", "validate shut.yaml",
			"create b -f p.yaml --home fixed/home", "run kept.yaml", "init fixed/first", "run p.yaml --set admin.listen=unix:fixed/s",
		}},
	}
}

// TestMistakesWithPipelinesAreAnswered has each answered with a code, where, why and what to do,
// as JSON and for people. testdata/pipelines.golden has them; -rewrite makes it anew.
func TestMistakesWithPipelinesAreAnswered(t *testing.T) {
	golden, err := filepath.Abs("testdata/pipelines.golden")
	if err != nil {
		t.Fatal(err)
	}
	w := newBeginners(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	for _, b := range blunders() {
		fmt.Fprintf(&table, "# %s\n\n", b.kind)
		for _, line := range b.lines {
			args := strings.Fields(strings.ReplaceAll(line, "PORT", port))
			exit, out, text := w.unprivileged(append([]string{"--json"}, args...)...)
			if args[0] == "run" {
				out = text // standard output is for records
			}
			var answer struct {
				OK     bool
				Exit   int
				Errors []struct{ Code, Where, Why, Fix string }
			}
			if err := json.Unmarshal([]byte(out[max(0, strings.Index(out, "{\n")):]), &answer); err != nil || exit == 0 || answer.OK || answer.Exit != exit || len(answer.Errors) == 0 {
				t.Errorf("%s: exit %d, %v: %s%s", line, exit, err, out, text)
				continue
			}
			fmt.Fprintf(&table, "%s\n  exit %d\n", line, exit)
			plain, said, text := w.unprivileged(args...)
			for _, e := range answer.Errors {
				if e.Code == "" || e.Code == "internal" || e.Where == "" || e.Why == "" || e.Fix == "" {
					t.Errorf("%s: %+v", line, e)
				}
				if plain != exit || !strings.Contains(said+text, e.Fix) {
					t.Errorf("%s without --json: exit %d: %s%s", line, plain, said, text)
				}
				fmt.Fprintf(&table, "  %s at %s\n    why: %s\n    fix: %s\n", e.Code, e.Where, e.Why, e.Fix)
			}
		}
		table.WriteString("\n")
	}
	got := strings.NewReplacer(w.dir, "/work", port, "PORT").Replace(table.String())
	if *rewrite {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the answers are\n%s", got)
	}
}

// newBeginners is a workshop with the files that the command lines name.
func newBeginners(t *testing.T) *workshop {
	w := newWorkshop(t)
	w.Setenv("WASMILL_ADMIN_LISTEN", "off")
	var half abitest.Asm // a plugin from which the linker has dropped what it does
	half.Func(abi.ExportMarker, nil, nil, nil)
	replace := func(from, to string) string {
		if !strings.Contains(plain, from) {
			t.Fatalf("the pipeline has no %s", from)
		}
		return strings.Replace(plain, from, to, 1)
	}
	for name, text := range map[string]string{
		"p.yaml":                 plain,
		"indent.yaml":            replace("  - name: f", " - name: f"),
		"tab.yaml":               replace("  - name: f", "\t- name: f"),
		"key.yaml":               replace("order:", "ordr:"),
		"type.yaml":              replace("order: input", "concurrency: many"),
		"quote.yaml":             replace("in.txt", "'in.txt"),
		"twice.yaml":             replace("order: input", "order: input\n    order: none"),
		"noexports.yaml":         replace("identity", "noexports"),
		"half.yaml":              replace("identity", "half"),
		"misspelt.yaml":          replace("identity", "identiti"),
		"lost.yaml":              replace("in.txt", "inn.txt"),
		"astray.yaml":            replace("out.txt", "nowhere/out.txt"),
		"locked.yaml":            plain,
		"secret.txt":             "one\n",
		"unreadable.yaml":        replace("in.txt", "secret.txt"),
		"unwritable.yaml":        replace("out.txt", "fixed/out.txt"),
		"shut.yaml":              replace("identity", "shut"),
		"kept.yaml":              plain + "checkpoint: {storage: file://./fixed/checkpoints}\n",
		"plugins/noexports.wasm": "\x00asm\x01\x00\x00\x00",
		"plugins/half.wasm":      string(half.Bytes()),
		"plugins/shut.wasm":      string(abitest.Identity()),
	} {
		w.write(name, text)
	}
	for _, name := range []string{"empty", "locked", "fixed", "cache"} {
		if err := os.Mkdir(name, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	program, err := os.Executable() // in a folder that others may not enter
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Link(program, "wasmill"); err != nil {
		data, err := os.ReadFile(program)
		if err != nil {
			t.Fatal(err)
		}
		w.write("wasmill", string(data))
		w.mode(0o755, "wasmill")
	}
	w.mode(0o644, "in.txt", "*.yaml", "plugins/*.wasm")
	w.mode(0o755, filepath.Dir(w.dir), w.dir, "plugins")
	w.mode(0, "locked.yaml", "secret.txt", "plugins/shut.wasm", "locked")
	w.mode(0o555, "fixed")
	if os.Geteuid() == 0 {
		for _, name := range []string{w.dir, "cache"} {
			if err := os.Chown(name, nobody, nobody); err != nil {
				t.Fatal(err)
			}
		}
	}
	return w
}

func (w *workshop) mode(mode os.FileMode, patterns ...string) {
	w.Helper()
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			w.Fatalf("there is no %s: %v", pattern, err)
		}
		for _, file := range files {
			if err := os.Chmod(file, mode); err != nil {
				w.Fatal(err)
			}
		}
	}
}

// unprivileged runs a command line in a process of a user that is not root.
func (w *workshop) unprivileged(args ...string) (exit int, out, err string) {
	w.Helper()
	var o, e bytes.Buffer
	c := exec.CommandContext(w.Context(), filepath.Join(w.dir, "wasmill"), args...)
	c.Stdout, c.Stderr = &o, &e
	if os.Geteuid() == 0 {
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	if err := c.Run(); err != nil && c.ProcessState == nil {
		w.Fatal(err)
	}
	return c.ProcessState.ExitCode(), o.String(), e.String()
}
