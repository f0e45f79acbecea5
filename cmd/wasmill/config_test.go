package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestConfigShowsValuesWithTheirOrigins(t *testing.T) {
	w := newWorkshop(t)
	w.write("wasmill.yaml", "log: {level: warn}\n")
	w.write("p.yaml", strings.Replace(plain, "udf: {plugin: identity}", "udf: {plugin: identity, params: {mode: fast, password: hunter2}}", 1))
	exit, out, text := w.wasmill("config", "p.yaml", "--set", "vertices.f.concurrency=3", "--plugins", "more")
	if exit != 0 {
		t.Fatalf("exit %d: %s", exit, text)
	}
	lines := strings.Split(out, "\n")
	for i, l := range lines {
		lines[i] = strings.Join(strings.Fields(l), " ")
	}
	got := "\n" + strings.Join(lines, "\n") + "\n"
	for _, want := range []string{
		"SETTING OF THE PROCESS VALUE ORIGIN", "log.level warn wasmill.yaml:1:14", "log.format auto default", "memory.budget 64GiB environment WASMILL_MEMORY_BUDGET",
		"plugins.dir more --set plugins.dir=more",
		"SETTING OF p (p.yaml) VALUE ORIGIN", "vertices[f].concurrency 3 --set vertices.f.concurrency=3", "vertices[f].order input p.yaml:7:12",
		`vertices[f].udf.params.mode "fast" p.yaml:6:44`, "vertices[f].udf.params.password *** p.yaml:6:60", "vertices[f].udf.limits.memory 64MiB default",
	} {
		if !strings.Contains(got, "\n"+want+"\n") {
			t.Errorf("%q is no line of\n%s", want, out)
		}
	}
	if strings.Contains(got, "hunter2") || strings.Contains(got, "vertices[in].batch") {
		t.Errorf("it has too much: %s", out)
	}
}

func TestConfigShowsWhatIsNotDefault(t *testing.T) {
	w := newWorkshop(t)
	w.write("p.yaml", plain)
	exit, out, text := w.wasmill("config", "p.yaml", "--changed", "--json", "--set", "log.level=debug")
	var shown struct {
		OK        bool
		Process   []settingJSON
		Pipelines []configShown
	}
	if err := json.Unmarshal([]byte(out), &shown); err != nil || exit != 0 || !shown.OK || len(shown.Process) != 2 || len(shown.Pipelines) != 1 {
		t.Fatalf("exit %d, %v: %s%s", exit, err, out, text)
	}
	if got := shown.Process[0]; got != (settingJSON{"log.level", "debug", "--set log.level=debug"}) {
		t.Errorf("the process has %+v", shown.Process)
	}
	if p := shown.Pipelines[0]; p.Pipeline != "p" || p.File != "p.yaml" || len(p.Settings) == 0 || strings.Contains(out, `"default"`) {
		t.Errorf("the pipeline has %+v", p)
	}
}

func TestConfigSaysAllThatIsWrong(t *testing.T) {
	w := newWorkshop(t)
	w.write("a.yaml", strings.Replace(plain, "order:", "ordr:", 1))
	w.write("b.yaml", strings.Replace(plain, "sink:", "snk:", 1))
	exit, out, text := w.wasmill("config", "a.yaml", "b.yaml")
	if exit != 2 || out != "" || !strings.Contains(text, "did you mean order?") || !strings.Contains(text, "did you mean sink?") {
		t.Errorf("exit %d: %s%s", exit, out, text)
	}
	if exit, _, text := w.wasmill("config", "--set", "log.levl=x"); exit != 2 || !strings.Contains(text, "did you mean level?") {
		t.Errorf("exit %d: %s", exit, text)
	}
}
