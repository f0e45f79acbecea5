package pipeline

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// broken is a source whose read fails, after a while or when it is interrupted.
type broken struct {
	numbers
	after time.Duration
	err   error
}

func (s *broken) Read(ctx context.Context, _ *stream.Batch) error {
	select {
	case <-ctx.Done():
	case <-time.After(s.after):
	}
	return s.err
}

func TestAReadThatFailsDuringADrainEndsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := mustNew(t, graph([]Vertex{source("in", &broken{after: time.Hour, err: errors.New("connection reset")}), sink("a", &collect{})}, "in a"), Hooks{})
		done := make(chan error)
		go func() { done <- p.Run(t.Context(), nil) }()
		synctest.Wait()
		p.Drain()
		if err := <-done; err == nil || err.Error() != "vertex in: connection reset" {
			t.Errorf("got %v, want the error of the read", err)
		}
	})
}

func TestRecordsThatGoNowhereAreAcknowledged(t *testing.T) {
	in := &numbers{count: 1000, batch: 10}
	p := mustNew(t, graph([]Vertex{source("in", in), sink("a", &collect{})}, "in a never"), Hooks{})
	if err := p.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if len(in.acked) == 0 || in.acked[len(in.acked)-1] != 1000 {
		t.Errorf("acknowledged %v, want all of 1000", in.acked)
	}
	if n := p.acks[0].open.len(); n != 0 {
		t.Errorf("%d batches are still open", n)
	}
}
