package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wasmill/wasmill/host/stream"
)

// Entry explains one code.
type Entry struct {
	Code    stream.Code
	Title   string       // one line: what went wrong
	Cause   string       // when that is so, in some sentences
	Example stream.Error // such an error
	Fix     string       // what to do, in more words than an error has
}

// Exit is the exit code of a process that ends with such an error.
func (e Entry) Exit() int { return stream.ExitCode(&e.Example) }

// All lists the entries by what they are about, in the order of host/stream/codes.go.
func All() []Entry {
	all := slices.Concat(
		[]Entry{internal()}, configs(), graphs(), plugins(), contracts(), guests(), records(), states(), stores(), checkpoints(), inputs(), environment(), instances(), processes(), projects(), revisions(),
	)
	for i := range all {
		all[i].Example.Code = all[i].Code
	}
	return all
}

// Of returns the entry of a code.
func Of(code stream.Code) (Entry, bool) {
	all := All()
	i := slices.IndexFunc(all, func(e Entry) bool { return e.Code == code })
	if i < 0 {
		return Entry{}, false
	}
	return all[i], true
}

// Like lists the codes that have a word of a text, or all if none has.
func Like(text string) []string {
	var like, all []string
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return r < 'a' || r > 'z' })
	for _, e := range All() {
		all = append(all, string(e.Code))
		if slices.ContainsFunc(strings.Split(string(e.Code), "-"), func(part string) bool { return slices.Contains(words, part) }) {
			like = append(like, string(e.Code))
		}
	}
	if like == nil {
		return all
	}
	return like
}

// String shows all of an entry, in lines of at most 80 characters apart from the
// example, which is as an error is printed.
func (e Entry) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s: %s\n\n", e.Code, e.Title)
	fmt.Fprintf(&s, "%s\n\n", wrap(e.Cause, 80))
	fmt.Fprintf(&s, "For example\n\n  error: %s\n\n", strings.ReplaceAll(e.Example.Error(), "\n", "\n  "))
	fmt.Fprintf(&s, "What to do\n\n%s\n\n", wrap(e.Fix, 80))
	fmt.Fprintf(&s, "A process that ends with it has exit code %d: %s.\n", e.Exit(), meaning(e.Exit()))
	return s.String()
}

// meaning says what has to change before the next try.
func meaning(exit int) string {
	switch exit {
	case stream.ExitInternal:
		return "a fault of wasmill itself"
	case stream.ExitEnvironment:
		return "the environment has to change (files, permissions, the store)"
	case stream.ExitFenced:
		return "another process has taken the pipeline over"
	}
	return "the input has to change (config, plugin, data, command line)"
}

// wrap breaks a text into lines of at most width bytes, where words let it.
func wrap(text string, width int) string {
	var s strings.Builder
	line := 0
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
		case line+1+len(word) > width:
			s.WriteByte('\n')
			line = 0
		default:
			s.WriteByte(' ')
			line++
		}
		s.WriteString(word)
		line += len(word)
	}
	return s.String()
}
