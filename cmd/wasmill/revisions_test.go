package main

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/stream"
)

func TestRevisionsShowsWhatWasInForce(t *testing.T) {
	w := newWorkshop(t)
	second := strings.Replace(plain, "order: input", "order: none", 1)
	for _, text := range []string{plain, second, second} {
		w.write("p.yaml", text)
		if exit, _, text := w.wasmill("run", "p.yaml"); exit != 0 {
			t.Fatalf("exit %d: %s", exit, text)
		}
	}
	exit, out, text := w.wasmill("revisions", "p")
	if want := `^REVISION +SHA-256 +ACCEPTED +ORIGIN +CLASS\n2 +[0-9a-f]{12} +20[^ ]+Z +start +graph\n1 +[0-9a-f]{12} +20[^ ]+Z +start +-\n$`; exit != 0 || text != "" || !regexp.MustCompile(want).MatchString(out) {
		t.Errorf("exit %d: %s%s", exit, out, text)
	}
	for n, want := range map[string]string{"1": plain, "2": second} {
		if exit, out, text = w.wasmill("revisions", "p", n); exit != 0 || out != want {
			t.Errorf("revision %s: exit %d: %s%s", n, exit, out, text)
		}
	}
	if exit, out, text = w.wasmill("revisions", "p", "--diff", "1", "2"); exit != 0 || !strings.HasPrefix(out, "p: the graph stops") || !strings.Contains(out, "graph  vertices[f].order  input → none") {
		t.Errorf("the difference: exit %d: %s%s", exit, out, text)
	}
	var all struct {
		OK        bool
		Revisions []struct {
			Revision              uint64
			SHA256, Origin, Class string
		}
	}
	_, out, _ = w.wasmill("revisions", "p", "--json")
	if err := json.Unmarshal([]byte(out), &all); err != nil || !all.OK || len(all.Revisions) != 2 || all.Revisions[0].Revision != 2 || len(all.Revisions[0].SHA256) != 64 || all.Revisions[0].Class != "graph" {
		t.Errorf("as JSON, %v: %s", err, out)
	}
	for _, tt := range []struct {
		name string
		args []string
		exit int
		want string
	}{
		{"of no pipeline", []string{"q"}, stream.ExitInput, "data/revisions/q: no revision of a pipeline q is kept there [revision-unknown]"},
		{"of a path", []string{"../p"}, stream.ExitInput, "not the name of a pipeline"},
		{"of dots", []string{".."}, stream.ExitInput, "not the name of a pipeline"},
		{"one that is not kept", []string{"p", "7"}, stream.ExitInput, "there is no revision 7 [revision-unknown]"},
		{"no number", []string{"p", "x"}, stream.ExitInput, "is no number of a revision"},
		{"two without saying what for", []string{"p", "1", "2"}, stream.ExitInput, "too many arguments"},
		{"a difference to nothing", []string{"p", "--diff", "1"}, stream.ExitInput, "name a pipeline and two of its revisions"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if exit, out, text := w.wasmill(append([]string{"revisions"}, tt.args...)...); exit != tt.exit || out != "" || !strings.Contains(text, tt.want) {
				t.Errorf("exit %d: %s%s", exit, out, text)
			}
		})
	}
	if err := os.Truncate("data/revisions/p/0000000002.revision", 90); err != nil {
		t.Fatal(err)
	}
	if exit, out, text = w.wasmill("revisions", "p"); exit != 0 || strings.Contains(out, "\n2 ") || !strings.Contains(out, "\n1 ") || !strings.Contains(text, "passed over: data/revisions/p/0000000002.revision: the file is damaged") {
		t.Errorf("a damaged one: exit %d: %s%s", exit, out, text)
	}
	if exit, _, text = w.wasmill("revisions", "p", "2"); exit != stream.ExitEnvironment || !strings.Contains(text, "[revision-damaged]") {
		t.Errorf("the damaged one: exit %d: %s", exit, text)
	}
}

func TestNoRevisionIsKeptByWhatDoesNotRun(t *testing.T) {
	w := newWorkshop(t)
	w.write("p.yaml", plain)
	if exit, _, text := w.wasmill("validate", "p.yaml"); exit != 0 {
		t.Fatalf("exit %d: %s", exit, text)
	}
	if _, err := os.Stat("data"); err == nil {
		t.Error("validate has written something")
	}
}
