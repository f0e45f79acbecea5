package main

import (
	"strings"
	"testing"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/abitest"
)

// TestRecordsThatCannotBeHandledAreKeptOrCounted runs a plugin that traps for
// each of three records.
func TestRecordsThatCannotBeHandledAreKeptOrCounted(t *testing.T) {
	a := abitest.NewGuest()
	a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil, abitest.Op(abitest.Unreachable))
	traps := func(t *testing.T, settings, more string) (w *workshop, log string) {
		w = newWorkshop(t)
		w.write("plugins/traps.wasm", string(a.Bytes()))
		w.write("p.yaml", strings.NewReplacer("plugin: identity", "plugin: traps", "order: input", "retry: {attempts: 2, backoff: 1ms}\n    "+settings, "edges:", more).Replace(plain))
		exit, _, log := w.wasmill("run", "--quiet", "p.yaml")
		if exit != 0 || w.read("out.txt") != "" {
			t.Fatalf("exit %d: %s", exit, log)
		}
		return w, log
	}
	t.Run("dropped", func(t *testing.T) {
		if _, log := traps(t, "onError: drop", "edges:"); !strings.Contains(log, `onError is drop","pipeline":"p","vertex":"f","records":3`) {
			t.Errorf("the log is %s", log)
		}
	})
	t.Run("as dead letters", func(t *testing.T) {
		w, log := traps(t, "onError: deadLetter", "  - {name: dead, sink: {file: {path: dead.txt, format: json}}}\nedges:\n  - {from: f, to: dead, when: {deadLetters: true}}")
		if !strings.Contains(log, `dead letters","pipeline":"p","vertex":"f","records":3`) {
			t.Errorf("the log is %s", log)
		}
		dead := w.read("dead.txt")
		for _, s := range []string{
			`"value":"one"`, `"value":"two"`, `"value":"three"`, `"wasmill-pipeline":"p"`, `"wasmill-vertex":"f"`, `"wasmill-plugin":"traps"`, `"wasmill-plugin-hash":"`,
			`"wasmill-position":"record 2 of source in (in.txt:2)"`, `"wasmill-attempts":"2"`, `"wasmill-code":"guest-trap"`, `"wasmill-reason":"`,
		} {
			if !strings.Contains(dead, s) {
				t.Errorf("%s is not in %s", s, dead)
			}
		}
		if strings.Count(dead, "\n") != 3 {
			t.Errorf("there are other than three lines in %s", dead)
		}
		_, out, _ := w.wasmill("graph", "p.yaml")
		if !strings.Contains(out, `-.->|"dead letters"|`) {
			t.Errorf("the graph is %s", out)
		}
	})
}
