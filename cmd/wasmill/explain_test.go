package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/explain"
	"github.com/wasmill/wasmill/host/stream"
)

func TestExplainTellsOfACode(t *testing.T) {
	w := newWorkshop(t)
	for _, code := range []string{"plugin-import", "[plugin-import]"} {
		exit, out, _ := w.wasmill("explain", code)
		for _, want := range []string{"plugin-import: the module imports", "error: p.yaml", "[plugin-import]\n    fix: ", "What to do\n", "exit code 2"} {
			if exit != 0 || !strings.Contains(out, want) {
				t.Errorf("%s: exit %d, %q is not in\n%s", code, exit, want, out)
			}
		}
	}
	exit, out, _ := w.wasmill("explain", "checkpoint-fenced", "--json")
	var one struct {
		OK   bool
		Code entryJSON
	}
	if err := json.Unmarshal([]byte(out), &one); err != nil || exit != 0 || !one.OK || one.Code.Code != stream.CheckpointFenced || one.Code.Exit != 4 || !strings.Contains(one.Code.Example, "[checkpoint-fenced]") {
		t.Errorf("exit %d, %v: %s", exit, err, out)
	}
}

func TestExplainListsAllCodes(t *testing.T) {
	w := newWorkshop(t)
	exit, out, _ := w.wasmill("explain")
	if lines := strings.Count(out, "\n"); exit != 0 || lines != len(explain.All())+1 || !strings.Contains(out, "\nstore-denied ") {
		t.Errorf("exit %d, %d lines: %s", exit, lines, out)
	}
	exit, out, _ = w.wasmill("explain", "--json")
	var all struct{ Codes []entryJSON }
	if err := json.Unmarshal([]byte(out), &all); err != nil || exit != 0 || len(all.Codes) != len(explain.All()) || all.Codes[5].Fix == "" {
		t.Errorf("exit %d, %v: %s", exit, err, out)
	}
}

func TestExplainGuessesCodes(t *testing.T) {
	w := newWorkshop(t)
	for given, want := range map[string]string{
		"plugin-improt": "did you mean plugin-import?",
		"graph":         "there are graph-duplicate-vertex, graph-dangling-edge, graph-cycle, graph-shape, graph-duplicate-edge",
		"weather":       "wasmill explain lists all",
	} {
		if exit, _, text := w.wasmill("explain", given); exit != 2 || !strings.Contains(text, "[usage]\n  fix: "+want+"\n") {
			t.Errorf("%s: exit %d: %s", given, exit, text)
		}
	}
}

func TestTheHintNamesTheCode(t *testing.T) {
	one, other := &stream.Error{Code: stream.ConfigType}, &stream.Error{Code: stream.ConfigValue}
	if got := hint([]*stream.Error{one, one}); got != "wasmill explain config-type tells more" {
		t.Error(got)
	}
	if got := hint([]*stream.Error{one, other}); !strings.Contains(got, "explain CODE ") {
		t.Error(got)
	}
}
