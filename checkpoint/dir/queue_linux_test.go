//go:build linux && (amd64 || arm64)

package dir

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

// pages returns memory that begins with a page.
func pages(n int, fill byte) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = fill + byte(i>>12)
	}
	return b
}

func TestManyObjectsAtOnceKeepTheirBytes(t *testing.T) {
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			data, name := pages(2<<20+i, byte(i)), fmt.Sprint("a/", i)
			if err := s.Put(t.Context(), name, data); err != nil {
				t.Error(err)
			} else if got, err := s.Get(t.Context(), name); err != nil || !bytes.Equal(got, data) {
				t.Errorf("%s: %d bytes, %v", name, len(got), err)
			}
		})
	}
	wg.Wait()
	if n := len(s.disk.idle); n > atOnce {
		t.Errorf("%d queues are kept", n)
	}
	s.Close()
	if s.disk.get() != nil || s.disk.idle != nil {
		t.Error("a closed store has queues")
	}
}

// TestASystemWithoutQueuesStoresAllTheSame is of one where a sandbox forbids them.
func TestASystemWithoutQueuesStoresAllTheSame(t *testing.T) {
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.disk.close()
	data := pages(3<<20+100, 1)
	if err := s.Put(t.Context(), "a", data); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Get(t.Context(), "a"); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestAQueueTellsWhatFailed(t *testing.T) {
	q, err := newQueue()
	if err != nil {
		t.Skipf("this system has no asynchronous operations: %v", err)
	}
	defer q.close()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, nil, fileMode); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := q.write(f, pages(page, 1), 0); !errors.Is(err, syscall.EBADF) {
		t.Errorf("a file that is not open for writing: %v", err)
	}
	if err := q.sync(f); err != nil {
		t.Errorf("the queue is of no use after that: %v", err)
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	if err := q.write(full, pages(page, 1), 0); !errors.Is(err, errNoQueue) {
		t.Errorf("a file without such operations: %v", err)
	}
}
