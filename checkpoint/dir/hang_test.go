package dir

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
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
