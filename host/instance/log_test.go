package instance

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestTheLogTurns writes with a worker and its keeper: lines go to the newest file, which has
// a bound, and none is lost until it is too old.
func TestTheLogTurns(t *testing.T) {
	dir := t.TempDir()
	name, older := filepath.Join(dir, logFile), filepath.Join(dir, olderLog)
	worker, err := openLog(name, older, 40, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer worker.Close()
	keeper, err := openLog(name, older, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer keeper.Close()
	for i := range 3 {
		fmt.Fprintf(worker, "worker line %d\n", i) // 14 bytes
		fmt.Fprintf(keeper, "keeper line %d\n", i)
	}
	if got := read(t, older); got != "worker line 1\nkeeper line 1\n" {
		t.Errorf("older: %q", got)
	}
	if got := read(t, name); got != "worker line 2\nkeeper line 2\n" {
		t.Errorf("newest: %q", got)
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(keeper, "after it was removed")
	if got := read(t, name); got != "after it was removed\n" {
		t.Errorf("got %q", got)
	}
}

func TestTail(t *testing.T) {
	i := &Instance{Name: "a", dir: t.TempDir()}
	put := func(file, text string) {
		f, err := os.OpenFile(i.path(file), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	put(olderLog, "1\n2\n")
	put(logFile, "3\n4\n")
	for _, c := range []struct {
		lines int
		want  string
	}{{0, ""}, {1, "4"}, {3, "2 3 4"}, {9, "1 2 3 4"}, {-1, "1 2 3 4"}} {
		var got []string
		if err := i.Tail(t.Context(), c.lines, false, func(l []byte) error { got = append(got, string(l)); return nil }); err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%d: %v, %v", c.lines, got, err)
		}
	}

	put(specFile, "{}")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var got []string
	err := i.Tail(ctx, 1, true, func(l []byte) error {
		switch got = append(got, string(l)); string(l) {
		case "4":
			put(logFile, "5\nhalf of ")
			put(logFile, "6\n")
		case "half of 6":
			put(logFile, "7, before it turns\n")
			if err := os.Rename(i.path(logFile), i.path(olderLog)); err != nil {
				return err
			}
			put(logFile, "8\n")
		case "8":
			return os.Remove(i.path(specFile)) // the instance goes
		}
		return nil
	})
	if want := []string{"4", "5", "half of 6", "7, before it turns", "8"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v", got, err)
	}
}
