package instance

import (
	"slices"
	"strings"
	"testing"
)

func states() []State {
	return []State{Created, Starting, Running, Pausing, Stopping, Stopped, Failed, Deleting}
}

func events() []Event {
	return []Event{Start, Ready, Restart, Drain, Drained, End, Fail, Lost, Delete}
}

// TestTheTableOfTheDocumentation holds next to the table of doc.go: a state per line, an event per
// column, empty = it has no place there.
func TestTheTableOfTheDocumentation(t *testing.T) {
	rows := 0
	for line := range strings.Lines(read(t, "doc.go")) {
		cells := strings.Split(strings.TrimPrefix(strings.TrimSpace(line), "//"), "|")
		from := State(strings.TrimSpace(cells[0]))
		if !slices.Contains(states(), from) || len(cells) != len(events())+1 {
			continue
		}
		rows++
		for i, e := range events() {
			to, ok := next(from, e)
			want := State(strings.TrimSpace(cells[i+1]))
			if ok != (want != "") || ok && to != want || !ok && to != from {
				t.Errorf("%s with %s: %s, %v; the table has %q", from, e, to, ok, want)
			}
		}
	}
	if rows != len(states()) {
		t.Errorf("the table has %d of %d states", rows, len(states()))
	}
}

// TestNothingIsStuck: from whatever state the keeper is lost in, the instance can be resumed or
// deleted, and a deletion that has begun goes on.
func TestNothingIsStuck(t *testing.T) {
	for _, s := range states() {
		after := s
		if s.kept() {
			lost, ok := next(s, Lost)
			if !ok {
				t.Errorf("%s cannot be lost", s)
			}
			after = lost
		}
		_, resumed := next(after, Start)
		_, deleted := next(after, Delete)
		if !deleted || resumed == (s == Deleting) {
			t.Errorf("lost in %s, it is %s: resumed %v, deleted %v", s, after, resumed, deleted)
		}
		if !s.known() {
			t.Errorf("%s is not known", s)
		}
	}
	if State("paused").known() {
		t.Error("a state that does not exist is known")
	}
}
