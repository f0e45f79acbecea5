package dir

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/checkpoint"
)

func TestADiskThatHangsHoldsNoCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Store{slots: make(chan struct{}, atOnce)}
		disk := make(chan struct{})
		begun := 0
		for range 3 * atOnce {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			err := s.do(ctx, func() error {
				begun++
				<-disk
				return nil
			})
			cancel()
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("got %v, want the error of the context", err)
			}
			synctest.Wait()
		}
		if begun != atOnce {
			t.Errorf("%d calls wait for the disk, want %d", begun, atOnce)
		}
		close(disk)
		if err := s.do(t.Context(), func() error { return nil }); err != nil {
			t.Errorf("after the disk has come back: %v", err)
		}
	})
}

// TestTheCallerGetsItsDataBack lets the race detector see whether the data of a
// call whose context has ended is still read.
func TestTheCallerGetsItsDataBack(t *testing.T) {
	folder := t.TempDir()
	s, err := Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	data := make([]byte, checkpoint.MaxObject)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer cancel()
		for ctx.Err() == nil {
			if files, err := os.ReadDir(filepath.Join(folder, temps)); err != nil || len(files) > 0 {
				return // the call has begun
			}
		}
	}()
	if err := s.Put(ctx, "a", data); err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	cancel()
	data[0], data[len(data)-1] = 1, 1
	for range atOnce {
		s.slots <- struct{}{} // the file is gone when the call has ended
	}
}
