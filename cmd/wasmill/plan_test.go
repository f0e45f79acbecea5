package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

func TestPlanSaysWhatAChangeTakes(t *testing.T) {
	w := newWorkshop(t)
	w.write("old.yaml", plain)
	for _, tt := range []struct {
		name    string
		edit    []string
		exit    int
		class   string
		summary string
		line    string
	}{
		{"nothing", []string{"order: input", "order: input # as they came"}, 0, "none", "p: nothing changes", ""},
		{"live", []string{"order: input", "order: input\n    queue: {maxRecords: 10}"}, 0, "live", "p: it is applied while everything runs", "live  vertices[f].queue.maxRecords  8192 → 10"},
		{"a vertex", []string{"plugin: identity", "plugin: identity, limits: {memory: 32MiB}"}, 0, "vertex", "p: vertex f is swapped in place", "vertex  vertices[f].udf.limits.memory  64MiB → 32MiB"},
		{"the graph", []string{"order: input", "order: none"}, 0, "graph", "p: the graph stops at a checkpoint", "graph  vertices[f].order  input → none"},
		{"a restart", []string{"name: p\n", "name: q\n"}, 2, "restart", "q: it needs a restart", "restart  name  p → q"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &workshop{t, w.dir}
			w.write("new.yaml", strings.NewReplacer(tt.edit...).Replace(plain))
			exit, out, text := w.wasmill("plan", "old.yaml", "new.yaml")
			if exit != tt.exit || !strings.HasPrefix(out, tt.summary) || !strings.Contains(out, tt.line) || text != "" {
				t.Errorf("exit %d: %s%s", exit, out, text)
			}
			exit, out, _ = w.wasmill("plan", "old.yaml", "new.yaml", "--json")
			var got struct {
				OK       bool
				Pipeline string
				Plan     struct {
					Class, Summary string
					Steps          []struct{ Path, Class, Old, New string }
				}
			}
			err := json.Unmarshal([]byte(out), &got)
			if err != nil || exit != tt.exit || got.OK != (exit == 0) || got.Plan.Class != tt.class || got.Pipeline+": "+got.Plan.Summary != strings.SplitN(planOf(w), "\n", 2)[0] {
				t.Errorf("exit %d, %v: %s", exit, err, out)
			}
			if got.Plan.Steps == nil || len(got.Plan.Steps) != strings.Count(planOf(w), " → ") {
				t.Errorf("the steps are %s", out)
			}
			if _, err := os.Stat("out.txt"); err == nil {
				t.Error("it ran")
			}
		})
	}
}

// planOf is the plan as text.
func planOf(w *workshop) string {
	w.Helper()
	_, out, _ := w.wasmill("plan", "old.yaml", "new.yaml")
	return out
}

func TestPlanTakesSettingsForBothFiles(t *testing.T) {
	w := newWorkshop(t)
	w.write("old.yaml", plain)
	w.write("new.yaml", strings.Replace(plain, "order: input", "order: input\n    concurrency: 3", 1))
	if exit, out, text := w.wasmill("plan", "old.yaml", "new.yaml", "--set", "vertices.f.concurrency=2"); exit != 0 || out != "p: nothing changes\n" {
		t.Errorf("exit %d: %s%s", exit, out, text)
	}
}

func TestPlanRefusesWhatValidateRefuses(t *testing.T) {
	w := newWorkshop(t)
	w.write("good.yaml", plain)
	w.write("bad.yaml", strings.Replace(plain, "order: input", "ordr: input", 1))
	w.write("worse.yaml", strings.NewReplacer("plugin: identity", "plugin: identiti").Replace(plain))
	for _, tt := range []struct {
		name string
		args []string
		exit int
		says []string
	}{
		{"a key that is none, and in the other file a plugin that is not there", []string{"bad.yaml", "worse.yaml"}, 2, []string{"bad.yaml:7:", "did you mean order?", "worse.yaml:6:", "did you mean identity?", "2 errors"}},
		{"a file that is not there", []string{"good.yaml", "nowhere.yaml"}, 2, []string{"nowhere.yaml", "there is no such file"}},
		{"a setting of the process that is none, said once", []string{"good.yaml", "bad.yaml", "--set", "plugins.dri=x"}, 2, []string{"plugins.dri"}},
		{"one file", []string{"good.yaml"}, 2, []string{"[usage]", "name two files"}},
		{"a file that --classes does not take", []string{"good.yaml", "--classes"}, 2, []string{"[usage]", "takes no files"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &workshop{t, w.dir}
			exit, out, text := w.wasmill(append([]string{"plan"}, tt.args...)...)
			if exit != tt.exit || out != "" || strings.Count(text, "error: ") != max(1, strings.Count(strings.Join(tt.says, " "), ".yaml:")) {
				t.Errorf("exit %d: %s%s", exit, out, text)
			}
			for _, s := range tt.says {
				if !strings.Contains(text, s) {
					t.Errorf("it does not say %s: %s", s, text)
				}
			}
			if exit, out, _ := w.wasmill(append([]string{"plan", "--json"}, tt.args...)...); exit != tt.exit || !json.Valid([]byte(out)) || !strings.Contains(out, `"ok": false`) {
				t.Errorf("as JSON: exit %d: %s", exit, out)
			}
		})
	}
}

func TestPlanListsTheClassesOfAllSettings(t *testing.T) {
	w := newWorkshop(t)
	exit, out, text := w.wasmill("plan", "--classes")
	if exit != 0 || text != "" {
		t.Fatalf("exit %d: %s", exit, text)
	}
	rows := strings.Join(strings.Fields(out), " ")
	for _, row := range []string{" name restart ", " phase live ", " vertices[].udf.plugin vertex graph with state: memory ", " edges[].when.tags graph ", " checkpoint.storage restart "} {
		if !strings.Contains(rows, row) {
			t.Errorf("there is no row%s in\n%s", row, out)
		}
	}
	exit, out, _ = w.wasmill("plan", "--classes", "--json")
	var got struct {
		Fields []struct{ Field, Class string }
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || exit != 0 || len(got.Fields) < 80 || got.Fields[0].Class != "restart" {
		t.Errorf("exit %d, %v: %s", exit, err, out)
	}
}
