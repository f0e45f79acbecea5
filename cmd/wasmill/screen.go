package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"golang.org/x/term"
)

// screen is a terminal with a table at its bottom: lines written to it appear
// above the table. It is safe for concurrent use.
type screen struct {
	file *os.File
	mu   sync.Mutex
	rows []string // guarded by mu; of the table that is shown
}

// Write prints a log line above the table.
func (s *screen) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(line), s.redraw(string(line), s.rows)
}

// show replaces the table.
func (s *screen) show(table string) error {
	width, _, err := term.GetSize(int(s.file.Fd()))
	if err != nil || width < 20 {
		width = 80
	}
	rows := strings.Split(strings.TrimSuffix(table, "\n"), "\n")
	for i, r := range rows {
		rows[i] = r[:min(len(r), width-1)] // a row that wraps could not be erased
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.redraw("", rows)
}

// redraw erases the table, prints text and draws rows.
func (s *screen) redraw(text string, rows []string) error {
	var out strings.Builder
	if len(s.rows) > 0 {
		fmt.Fprintf(&out, "\x1b[%dA\x1b[J", len(s.rows))
	}
	out.WriteString(text)
	for _, r := range rows {
		out.WriteString(r + "\n")
	}
	s.rows = rows
	_, err := io.WriteString(s.file, out.String())
	return err
}
