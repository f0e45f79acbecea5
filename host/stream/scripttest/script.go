package scripttest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

var rewrite = flag.Bool("rewrite", false, "write anew what comes of the scripts of testdata")

// Rewrite says whether files of testdata are to be written anew.
func Rewrite() bool { return *rewrite }

// Script is one that is played.
type Script struct {
	*testing.T
	out strings.Builder
}

// Run plays the scripts that a pattern finds, at least so many, each in a test of its own. play
// gets the text of one, and returns what it has to be.
func Run(t *testing.T, pattern string, least int, play func(s *Script, text string) string) {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) < least {
		t.Fatalf("%s finds %d scripts, of at least %d: %v", pattern, len(paths), least, err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)), func(t *testing.T) {
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got := play(&Script{T: t}, string(want))
			if *rewrite {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != string(want) {
				t.Errorf("%s differs; got\n%s", path, got)
			}
		})
	}
}

// Steps is Run of scripts in steps. begin is called for each script, and what it returns for
// each step, with its words; that tells what comes of it by Say.
func Steps(t *testing.T, pattern string, least int, begin func(s *Script) (step func(words []string))) {
	t.Helper()
	Run(t, pattern, least, func(s *Script, text string) string { return s.steps(text, begin(s)) })
}

func (s *Script) steps(text string, step func(words []string)) string {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "  ") {
			continue // what came of a step before
		}
		s.out.WriteString(line)
		if words := strings.Fields(line); len(words) > 0 && !strings.HasPrefix(words[0], "#") {
			step(words)
		}
	}
	return s.out.String()
}

// Say writes a line below the step.
func (s *Script) Say(format string, args ...any) { fmt.Fprintf(&s.out, "  "+format+"\n", args...) }

// Duration reads a word, such as 30s.
func (s *Script) Duration(word string) time.Duration {
	s.Helper()
	d, err := time.ParseDuration(word)
	if err != nil {
		s.Fatal(err)
	}
	return d
}

// Number reads a word.
func (s *Script) Number(word string) int {
	s.Helper()
	n, err := strconv.Atoi(word)
	if err != nil {
		s.Fatal(err)
	}
	return n
}
