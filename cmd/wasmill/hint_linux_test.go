package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestErrorsOnATerminalSayWhereMoreIsTold holds that scripts are not told: their error
// output stays as it is.
func TestErrorsOnATerminalSayWhereMoreIsTold(t *testing.T) {
	w := newWorkshop(t)
	x := newTerminal(t)
	if exit := run(t.Context(), []string{"validate", "nope.yaml"}, stdio{strings.NewReader(""), &bytes.Buffer{}, x.process}); exit != 2 {
		t.Errorf("exit %d", exit)
	}
	x.until(t, "wasmill explain config-file tells more")
	if exit, _, text := w.wasmill("validate", "nope.yaml"); exit != 2 || strings.Contains(text, "explain") {
		t.Errorf("exit %d: %s", exit, text)
	}
	x = newTerminal(t)
	var out bytes.Buffer
	if run(t.Context(), []string{"validate", "nope.yaml", "--json"}, stdio{strings.NewReader(""), &out, x.process}); strings.Contains(x.text()+out.String(), "explain") {
		t.Errorf("with --json: %s%s", x.text(), &out)
	}
}
