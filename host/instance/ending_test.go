package instance

import (
	"errors"
	"testing"

	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/supervise"
)

func TestAnEndIsPutIntoWords(t *testing.T) {
	given := &stream.Error{Code: stream.InstanceFailed, Where: "somewhere", Why: "it was given up", Fix: "mend it"}
	late := &stream.Error{Code: stream.InstanceFailed, Why: "it was not ready in time", Fix: "give it more"}
	for _, c := range []struct {
		name    string
		end     ending
		cause   error
		why     string
		drained string
	}{
		{"what a worker says itself is all", ending{exit: supervise.Exit{Code: 2}, said: "no such file"}, nil, "no such file", "it was shut down, and not all that was read went through: no such file"},
		{"of one that says nothing its process does", ending{exit: supervise.Exit{Code: 3}}, nil, "its worker " + supervise.Exit{Code: 3}.String(), "it was shut down, and not all that was read went through: its worker " + supervise.Exit{Code: 3}.String()},
		{"one that was given up is so first", ending{exit: supervise.Exit{Code: 3}, failed: given, said: "no such file"}, nil, given.Reason() + ": no such file", "it was shut down, and not all that was read went through: " + given.Reason() + ": no such file"},
		{"and says nothing more of itself", ending{failed: errors.New("no room")}, nil, "no room", "it was shut down, and all that was read is through"},
		{"a shutdown that the keeper has begun says why", ending{}, late, "its worker " + supervise.Exit{}.String(), "it was not ready in time; give it more\nit was shut down, and all that was read is through"},
		{"one that it was told to does not", ending{}, errors.New("context canceled"), "its worker " + supervise.Exit{}.String(), "it was shut down, and all that was read is through"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if why := c.end.why(); why != c.why {
				t.Errorf("it ended as %q, want %q", why, c.why)
			}
			if drained := c.end.drained(c.cause); drained != c.drained {
				t.Errorf("it drained: %q, want %q", drained, c.drained)
			}
		})
	}
	if got := followed("its worker died", ""); got != "its worker died; another one follows" {
		t.Error(got)
	}
	if got := followed("its worker died", "no such file"); got != "its worker died; another one follows: no such file" {
		t.Error(got)
	}
}
