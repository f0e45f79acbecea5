package watch

import (
	"context"
	"crypto/sha256"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func write(t testing.TB, path, content string) {
	t.Helper()
	must(t, os.WriteFile(path, []byte(content), 0o600))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// rename writes beside and moves into place.
func rename(t testing.TB, path, content string) {
	t.Helper()
	write(t, path+".tmp", content)
	must(t, os.Rename(path+".tmp", path))
}

// seen is what one caller of Next has got.
type seen struct {
	t    testing.TB
	ctx  context.Context
	w    *Watcher
	last Snapshot
	all  []Change
	sets int // snapshots after the first
}

// start runs a watcher until the test ends.
func start(t testing.TB, w *Watcher) *seen {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	s := &seen{t: t, ctx: ctx, w: w}
	s.next()
	s.all, s.sets = nil, 0
	return s
}

func (s *seen) next() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, time.Minute)
	defer cancel()
	snap, err := s.w.Next(ctx, s.last)
	if err != nil {
		s.t.Fatalf("nothing more came after %v: %v", s.all, err)
	}
	s.all = append(s.all, snap.Since(s.last)...)
	s.sets++
	s.last = snap
}

// until waits for a state of a file.
func (s *seen) until(name string, state State, content string) {
	s.t.Helper()
	for !holds(s.last.Files[name], state, content) {
		s.next()
	}
}

func holds(f File, state State, content string) bool {
	if f.State != state || state != Present {
		return f.State == state
	}
	return f.Hash == hashOf(content) && (f.Data == nil || string(f.Data) == content)
}

// of lists the changes of one file so far.
func (s *seen) of(name string) (changes []Change) {
	for _, c := range s.all {
		if c.Name == name {
			changes = append(changes, c)
		}
	}
	return changes
}

// flush waits until all that was written before has been told: further files are
// written, twice, and each is told only after it rested.
func (s *seen) flush(dirs ...string) {
	s.t.Helper()
	for _, name := range []string{"flush1.yaml", "flush2.yaml"} {
		for _, dir := range dirs {
			write(s.t, filepath.Join(dir, name), "flush")
		}
		for _, dir := range dirs {
			s.until(filepath.Join(dir, name), Present, "flush")
		}
	}
}

func hashOf(content string) Hash { return sha256.Sum256([]byte(content)) }
