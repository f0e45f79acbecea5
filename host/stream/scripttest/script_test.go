package scripttest

import (
	"strings"
	"testing"
)

// TestWhatComesOfAStepStandsBelowIt has a script in which something else stood there.
func TestWhatComesOfAStepStandsBelowIt(t *testing.T) {
	script := "# a comment\n1s two words\n  what was once\n\nnothing\n  too much\n#none\n"
	s := &Script{T: t}
	got := s.steps(script, func(words []string) {
		if words[0] != "nothing" {
			s.Say("%d: %s", len(words), strings.Join(words, ","))
			s.Say("and more")
		}
	})
	if want := "# a comment\n1s two words\n  3: 1s,two,words\n  and more\n\nnothing\n#none\n"; got != want {
		t.Errorf("got\n%s", got)
	}
}
