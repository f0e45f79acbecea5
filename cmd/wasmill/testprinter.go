package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/suite"
)

// testPrinter prints tests as they are over.
type testPrinter struct {
	out                   io.Writer
	json, verbose, colour bool

	tests  []testJSON
	failed int
	errs   []error // of tests that could not be run
}

// testJSON is a test in the output of --json.
type testJSON struct {
	File     string          `json:"file"`
	Test     string          `json:"test"`
	Where    string          `json:"where"`
	OK       bool            `json:"ok"`
	Seconds  float64         `json:"seconds"`
	Findings []suite.Finding `json:"findings,omitempty"`
	Seen     []suite.Seen    `json:"seen,omitempty"`   // with -v
	Errors   []faultJSON     `json:"errors,omitempty"` // why it could not be run
}

// told takes a test that is over.
func (p *testPrinter) told(t host.Tested) {
	one := testJSON{File: t.File, Test: t.Name, Where: t.Where, OK: t.Err == nil && t.Findings == nil, Seconds: t.Took.Seconds(), Findings: t.Findings}
	if t.Err != nil {
		p.errs = append(p.errs, t.Err)
		one.Errors = faultsJSON(faultsOf(t.Err))
	}
	if p.verbose {
		one.Seen = t.Seen
	}
	p.tests = append(p.tests, one)
	if !one.OK {
		p.failed++
	}
	switch {
	case p.json:
	case !one.OK:
		p.line("31", "FAIL  ", "%s: %s (%s)", safe(t.File), safe(t.Name), t.Took.Round(time.Millisecond))
		for _, e := range faultsOf(t.Err) {
			for line := range strings.Lines(e.Error()) {
				fmt.Fprintln(p.out, "      "+safe(strings.TrimSuffix(line, "\n")))
			}
		}
		for _, f := range t.Findings {
			p.finding(f)
		}
	default:
		p.line("32", "ok    ", "%s: %s (%s)", safe(t.File), safe(t.Name), t.Took.Round(time.Millisecond))
	}
	if p.json {
		return
	}
	for _, seen := range one.Seen {
		fmt.Fprintf(p.out, "      %s: %s\n", safe(seen.What), counted(len(seen.Lines), map[bool]string{true: "entry", false: "record"}[strings.HasPrefix(seen.What, "state of ")]))
		for _, l := range seen.Lines {
			p.line("2", "        ", "%s", safe(l))
		}
	}
}

// finding prints what is not as expected.
func (p *testPrinter) finding(f suite.Finding) {
	why := strings.Split(f.Why, "\n")
	fmt.Fprintf(p.out, "      %s: %s\n", safe(f.What), safe(why[0]))
	for _, line := range why[1:] {
		fmt.Fprintf(p.out, "      %s\n", safe(line))
	}
	for _, l := range f.Diff {
		switch l.Mark {
		case suite.Expected:
			p.line("31", "      - ", "%s", safe(l.Text))
		case suite.Actual:
			p.line("32", "      + ", "%s", safe(l.Text))
		case suite.Differs:
			p.line("33", "          ", "%s", safe(l.Text))
		case suite.Skipped:
			p.line("2", "        … ", "%s", safe(l.Text))
		default:
			p.line("", "        ", "%s", safe(l.Text))
		}
	}
	if f.Hint != "" {
		fmt.Fprintf(p.out, "      fix: %s\n", safe(f.Hint))
	}
}

// line prints a line, in a colour on a terminal.
func (p *testPrinter) line(colour, mark, format string, values ...any) {
	text := mark + fmt.Sprintf(format, values...)
	if p.colour && colour != "" {
		text = "\x1b[" + colour + "m" + text + "\x1b[0m"
	}
	fmt.Fprintln(p.out, text)
}

// summary prints how many tests passed, and returns how the process is to end.
func (p *testPrinter) summary() error {
	passed := len(p.tests) - p.failed
	switch {
	case p.json:
		printJSON(p.out, map[string]any{"ok": p.failed == 0, "passed": passed, "failed": p.failed, "tests": p.tests})
	case p.failed > 0:
		p.line("31", "", "%s passed, %d failed", counted(passed, "test"), p.failed)
	default:
		p.line("32", "", "%s passed", counted(passed, "test"))
	}
	switch {
	case p.failed == 0:
		return nil
	case len(p.errs) == p.failed:
		return exitError(stream.ExitCode(errors.Join(p.errs...)))
	}
	return exitError(stream.ExitInput)
}

// faultsOf takes an error apart, one without a code too.
func faultsOf(err error) []*stream.Error {
	if err == nil {
		return nil
	}
	if faults := config.Faults(err); faults != nil {
		return faults
	}
	return []*stream.Error{{Code: stream.CodeOf(err), Why: err.Error()}}
}

// colours says whether output goes to a terminal that is to have colours.
func colours(out io.Writer) bool {
	f, ok := out.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
