package main

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// refusal is a command line about instances that is refused.
type refusal struct {
	when string // what there is before
	line string // without wasmill
}

// What the instance a is, where it is not stopped.
const (
	isRunning  = "a is running"
	isDeleting = "a is half deleted"
	isNewer    = "a newer wasmill has had a"
	isDamaged  = "the spec of a is damaged"
	isOld      = "a runs with wasmill v1.0.0"
	isUnfit    = "a runs with wasmill v1.0.0, and its plugin is gone"
	isAhead    = "a runs with wasmill v1.0.0, and its newest checkpoint is of a format to come"
	isUnread   = "the spec of a is of a format to come"
	isFenced   = "another process has taken over the checkpoints of a"
	isHomeless = "the folder is gone where a was created"
)

// refusals are all of them. There is an instance a, and checkpoints of a pipeline old.
func refusals() []refusal {
	return []refusal{
		{"", "create"},
		{"", "create b"},
		{"", "create b c -f p.yaml"},
		{"", "create B -f p.yaml"},
		{"", "create ../b -f p.yaml"},
		{"", "create a -f p.yaml"},
		{"", "create b -f nowhere.yaml"},
		{"", "create b -f broken.yaml"},
		{"", "create b -f unplugged.yaml"},
		{"", "create b -f stdin.yaml"},
		{"", "create b -f p.yaml --set name=c"},
		{"", "create b -f p.yaml --set data.dir=x"},
		{"", "create b -f p.yaml --set vertices.f.concurency=3"},
		{"", "create b -f p.yaml --data-dir="},
		{"", "create b -f p.yaml --data-dir plugins"},
		{"", "create b -f p.yaml --data-dir home/a/data"},
		{"", "create b -f p.yaml --data-dir home/c"},
		{"", "create b -f p.yaml --timeout 5s"},
		{"", "create b -f p.yaml --wait --timeout 0s"},
		{"", "create b -f p.yaml --config nowhere.yaml"},
		{"", "create old -f p.yaml"},
		{"", "resume b"},
		{"", "resume a --set x=1"},
		{"", "resume a --config x.yaml"},
		{"", "resume a p.yaml"},
		{"", "resume a --wiat"},
		{"", "shutdown b"},
		{"", "shutdown a"},
		{"", "delete b --yes"},
		{"", "delete a"},
		{"", "status a --instance a --admin 127.0.0.1:1"},
		{"", "phase a paused --instance a"},
		{"", "logs b"},
		{"", "list a"},
		{"", "run p.yaml --set data.dir=home/a/data"},
		{"", "diagnostics b"},
		{"", "diagnostics a -o p.yaml"},
		{"", "diagnostics a -o nowhere/a.tar.gz"},
		{"", "diagnostics a --output="},
		{"", "diagnostics a --timeout 0s"},
		{"", "checkpoint list --instance b"},
		{"", "checkpoint list --instance a --storage file://./ckpt --pipeline a"},
		{"", "checkpoint restore --instance a --storage file://./ckpt --pipeline a"},
		{"", "checkpoint list --instance a --set x=1"},
		{"", "upgrade b"},
		{"", "upgrade a p.yaml"},
		{"", "upgrade a --set x=1"},
		{"", "upgrade a --timeout 0s"},
		{"", "upgrade a"},
		{isRunning, "resume a"},
		{isRunning, "delete a --yes"},
		{isRunning, "upgrade a"},
		{isDeleting, "resume a"},
		{isDeleting, "shutdown a"},
		{isDeleting, "upgrade a"},
		{isFenced, "delete a --yes"},
		{isNewer, "resume a"},
		{isNewer, "list"},
		{isNewer, "upgrade a"},
		{isOld, "resume a"},
		{isUnfit, "upgrade a"},
		{isAhead, "upgrade a"},
		{isUnread, "resume a"},
		{isUnread, "upgrade a"},
		{isDamaged, "status a"},
		{isDamaged, "delete a --yes"},
		{isDamaged, "resume a"},
		{isDamaged, "upgrade a"},
		{isDamaged, "checkpoint list --instance a"},
		{isHomeless, "resume a"},
	}
}

// TestInstanceRefusals is L2 and L10: each refusal has a code, says what to do, parses as JSON and
// changes nothing. testdata/refusals.golden and INSTANCES.md have them for people; -rewrite makes
// both anew.
func TestInstanceRefusals(t *testing.T) {
	golden, err := filepath.Abs("testdata/refusals.golden")
	if err != nil {
		t.Fatal(err)
	}
	guide, err := filepath.Abs("../../host/instance/INSTANCES.md")
	if err != nil {
		t.Fatal(err)
	}
	w := newBackground(t)
	w.write("stdin.yaml", strings.Replace(plain, "{file: {path: in.txt}}", "stdin", 1))
	w.write("broken.yaml", strings.Replace(plain, "order:", "ordr:", 1))
	w.write("unplugged.yaml", strings.Replace(plain, "identity", "identiti", 1))
	w.write("old.yaml", strings.NewReplacer("name: p\n", "name: old\n", ", follow: true, poll: 10ms", "").Replace(followed))
	w.does(0, "run", "old.yaml", "--quiet")
	if err := os.Mkdir(filepath.Join(w.dir, "work"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Chdir("work")
	w.does(0, "create", "a", "-f", "../p.yaml", "--plugins", "../plugins", "--wait")
	t.Chdir("..")
	w.does(0, "shutdown", "a")
	stopped := w.read("home/a/instance.json")
	w.spec = w.read("home/a/spec.json")

	var table, rows strings.Builder
	when := ""
	for _, r := range refusals() {
		if r.when != when {
			w.becomes(r.when, stopped)
			when = r.when
		}
		before := w.tree("home") + w.tree("plugins") + w.tree("ckpt")
		args := strings.Fields(r.line)
		var answer struct {
			OK     bool
			Exit   int
			Errors []struct{ Code, Where, Why, Fix string }
		}
		exit, said, log := w.wasmill(append(args, "--json")...)
		if args[0] == "run" {
			said = log // standard output is for records
		}
		if err := json.Unmarshal([]byte(said), &answer); err != nil {
			t.Fatalf("%v: %v: %s%s", args, err, said, log)
		}
		if exit == 0 || answer.OK || answer.Exit != exit || len(answer.Errors) == 0 {
			t.Fatalf("%s %v: exit %d, %+v", r.when, args, exit, answer)
		}
		for _, e := range answer.Errors {
			if e.Code == "" || e.Code == "internal" || e.Why == "" || e.Fix == "" {
				t.Errorf("%v: %+v", args, e)
			}
		}
		if plainExit, out, text := w.wasmill(args...); plainExit != exit || !strings.Contains(out+text, answer.Errors[0].Fix) {
			t.Errorf("%v without --json: exit %d: %s%s", args, plainExit, out, text)
		}
		if r.when != isRunning && before != w.tree("home")+w.tree("plugins")+w.tree("ckpt") {
			t.Errorf("%v has changed something", args)
		}
		if r.when != "" {
			r.line += "  # " + r.when
		}
		e := answer.Errors[0]
		line, _, _ := strings.Cut(r.line, "  # ")
		fmt.Fprintf(&rows, "| `%s` | %s | %d | `%s` | %s |\n", line, r.when, exit, e.Code, strings.ReplaceAll(e.Why, "|", "\\|"))
		fmt.Fprintf(&table, "wasmill %s\n  exit %d, %s\n  why: %s\n  fix: %s\n", r.line, exit, e.Code, e.Why, e.Fix)
	}
	w.becomes("", stopped)

	w.golden(golden, "", w.lasting(table.String()), "")
	w.golden(guide, refusalsBegin, w.lasting(rows.String()), refusalsEnd)
}

// What the table of refusals stands between in INSTANCES.md.
const (
	refusalsBegin = "| `wasmill …` | when | exit | code | why |\n|---|---|---|---|---|\n"
	refusalsEnd   = "\n</details>"
)

// lasting takes out of a text what is another at each run.
func (w *background) lasting(text string) string {
	text = regexp.MustCompile(`process \d+`).ReplaceAllString(strings.ReplaceAll(text, w.dir, "/work"), "process N")
	return regexp.MustCompile(`\b[0-9a-f]{12}…`).ReplaceAllString(strings.ReplaceAll(text, versions()["wasmill"], "VERSION"), "N…")
}

// golden compares what a file has between two texts, or makes it so.
func (w *background) golden(file, begin, got, end string) {
	w.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		w.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(data), begin)
	want, after := rest, ""
	if end != "" && ok {
		if want, after, ok = strings.Cut(rest, end); ok {
			after = end + after
		}
	}
	if !ok {
		w.Fatalf("%s has no %q with %q behind it", file, begin, end)
	}
	if *rewrite {
		if err := os.WriteFile(file, []byte(before+begin+got+after), 0o644); err != nil {
			w.Fatal(err)
		}
		want = got
	}
	if got != want {
		w.Errorf("%s has not the refusals, which are\n%s", filepath.Base(file), got)
	}
}

// becomes makes the instance a be something; empty = stopped, as its state says.
func (w *background) becomes(what, stopped string) {
	w.Helper()
	for name, content := range w.changed {
		w.write(name, content)
	}
	w.changed = map[string]string{}
	change := func(name, from, to string) {
		w.changed[name] = w.read(name)
		if w.write(name, strings.Replace(w.changed[name], from, to, 1)); from != "" && w.read(name) == w.changed[name] {
			w.Fatalf("%s has no %s", name, from)
		}
	}
	if now := w.read("home/a/instance.json"); now != stopped {
		if strings.Contains(now, `"running"`) {
			w.does(0, "shutdown", "a")
		}
		w.write("home/a/instance.json", stopped)
	}
	switch what {
	case isRunning:
		w.Chdir("work")
		w.does(0, "resume", "a", "--wait")
		w.Chdir("..")
	case isDeleting:
		w.write("home/a/instance.json", strings.Replace(stopped, `"stopped"`, `"deleting"`, 1))
	case isFenced:
		claims, err := filepath.Glob("ckpt/a/generations/*")
		if err != nil || len(claims) == 0 {
			w.Fatalf("%v, %v", claims, err)
		}
		change(claims[len(claims)-1], "", "")
		w.write(claims[len(claims)-1], `{"process": "a@another/1", "host": "elsewhere", "pid": 1}`)
	case isNewer:
		w.write("home/a/instance.json", strings.Replace(stopped, `"format": 1`, `"format": 2`, 1))
	case isDamaged:
		change("home/a/spec.json", w.spec[len(w.spec)/2:], "")
	case isOld, isUnfit, isAhead:
		var spec struct{ Binary json.RawMessage }
		if err := json.Unmarshal([]byte(w.spec), &spec); err != nil {
			w.Fatal(err)
		}
		change("home/a/spec.json", string(spec.Binary), `{"version": "v1.0.0"}`)
		if what == isUnfit {
			change("home/a/pipeline.yaml", "plugin: identity", "plugin: gone")
		}
		if what == isAhead {
			epochs, err := filepath.Glob("ckpt/a/epochs/*")
			if err != nil || len(epochs) == 0 {
				w.Fatalf("%v, %v", epochs, err)
			}
			record := w.read(epochs[len(epochs)-1])
			text, _, _ := strings.Cut(record, `,"check":`)
			text = strings.Replace(text, `"format":1`, `"format":7`, 1)
			change(epochs[len(epochs)-1], record, fmt.Sprintf(`%s,"check":"%08x"}`, text, crc32.Checksum([]byte(text), crc32.MakeTable(crc32.Castagnoli))))
		}
	case isUnread:
		change("home/a/spec.json", `"format": 1`, `"format": 2`)
	case isHomeless:
		if err := os.Remove(filepath.Join(w.dir, "work")); err != nil {
			w.Fatal(err)
		}
	}
}
