package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestCallSaysThatItWaitsForAPerson holds that it is said on a terminal alone, where
// otherwise nothing would be seen.
func TestCallSaysThatItWaitsForAPerson(t *testing.T) {
	newWorkshop(t)
	x := newTerminal(t)
	if _, err := x.person.WriteString("a\n\x04"); err != nil {
		t.Fatal(err)
	}
	var out, notes bytes.Buffer
	exit := run(t.Context(), []string{"call", "identity"}, stdio{x.process, &out, &notes})
	if exit != 0 || out.String() != "a\n" || notes.String() != "standard input: each line is a record, until ^D ends it; --input gives one at once\n" {
		t.Errorf("exit %d: %s%s", exit, &out, &notes)
	}
	notes.Reset()
	if exit := run(t.Context(), []string{"call", "identity"}, stdio{strings.NewReader("a"), &out, &notes}); exit != 0 || notes.Len() > 0 {
		t.Errorf("from a pipe: exit %d: %s", exit, &notes)
	}
	if exit := run(t.Context(), []string{"call", "identity", "--input", "a"}, stdio{x.process, &out, &notes}); exit != 0 || notes.Len() > 0 {
		t.Errorf("with --input: exit %d: %s", exit, &notes)
	}
}
