package crash_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Names in the folder of a scenario.
const (
	pipelineName = "p"
	ledgerName   = "ledger"
	noteName     = "note" // of the step that a worker stopped at
	storeName    = "store"
	outName      = "out"
)

// ledger is what a source's outside remembers: a line for each thing that happened,
// written at once, so that it outlives the process. A line that was torn has no end.
//
//	LIFE VERB NUMBERS… .
type ledger struct {
	life int
	file *os.File
}

func (l *ledger) open() (err error) {
	l.file, err = os.OpenFile(ledgerName, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	return err
}

// note adds a line.
func (l *ledger) note(verb string, numbers ...int) {
	text := fmt.Appendf(nil, "\n%d %s ", l.life, verb)
	for _, n := range numbers {
		text = fmt.Appendf(text, "%d ", n)
	}
	if _, err := l.file.Write(append(text, '.')); err != nil {
		panic(err)
	}
}

// entry is a line of a ledger.
type entry struct {
	life    int
	verb    string
	numbers []int
}

func (e entry) String() string { return fmt.Sprint(e.life, " ", e.verb, " ", e.numbers) }

// readLedger returns the lines that are whole.
func readLedger(dir string) ([]entry, error) {
	var all []entry
	err := eachLine(filepath.Join(dir, ledgerName), func(fields []string) error {
		life, err := strconv.Atoi(fields[0])
		e := entry{life: life, verb: fields[1]}
		for _, f := range fields[2:] {
			n, bad := strconv.Atoi(f)
			err = errors.Join(err, bad)
			e.numbers = append(e.numbers, n)
		}
		all = append(all, e)
		return err
	})
	return all, err
}

// eachLine reads the lines of a file that end with a dot, as fields without it. A file
// that is not there has none.
func eachLine(path string, take func(fields []string) error) error {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if n := len(fields) - 1; n > 1 && fields[n] == "." {
			err = errors.Join(err, take(fields[:n]))
		}
	}
	return err
}

// count returns how many entries of a life there are with a verb; life 0 is any.
func count(all []entry, life int, verb string) (n int) {
	for _, e := range all {
		if e.verb == verb && (life == 0 || e.life == life) {
			n++
		}
	}
	return n
}

// last returns the first number of the last entry with a verb, -1 if there is none.
func last(all []entry, life int, verb string) int {
	for _, e := range slices.Backward(all) {
		if e.verb == verb && (life == 0 || e.life == life) {
			return e.numbers[0]
		}
	}
	return -1
}
