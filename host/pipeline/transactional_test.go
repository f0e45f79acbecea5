package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"testing/synctest"

	"github.com/wasmill/wasmill/host/stream"
)

func TestATransactionalSinkIsFlushedWithoutCheckpointsAndPreparedWithThem(t *testing.T) {
	flushed := errors.New("flushed")
	for _, on := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			k := &preparing{flushed: flushed}
			hooks := Hooks{}
			a := &album{}
			if on {
				hooks.Snapshot = a.add
			}
			p := mustNew(t, graph([]Vertex{source("in", &numbers{count: 3, batch: 1}), sink("k", k)}, "in k"), hooks)
			p.Inject(&stream.Barrier{Epoch: 1})
			p.Finish()
			err := p.Run(t.Context(), given(map[stream.VertexID]Restored{"k": {Watermark: stream.NoWatermark, Commits: [][]byte{[]byte("old")}},
				"in": {High: math.MinInt64, Watermark: stream.NoWatermark}}))
			s, _ := a.of(1, "k")
			if on != (err == nil) || on != (fmt.Sprintf("%s", k.calls) == "[recover old prepare 1]") || on != (fmt.Sprintf("%s", s.Commits) == "[1]") {
				t.Errorf("checkpoints %v: %v, calls %s, commits %s", on, err, k.calls, s.Commits)
			}
			if err := p.Commit(t.Context(), "k", []byte("1")); on != (err == nil) {
				t.Errorf("checkpoints %v: commit returns %v", on, err)
			}
		})
	}
}

// preparing is a transactional sink whose Flush fails.
type preparing struct {
	collect
	flushed error
	calls   []string
}

func (s *preparing) Flush(context.Context) error { return s.flushed }

func (s *preparing) Prepare(_ context.Context, epoch stream.Epoch) ([]byte, error) {
	s.calls = append(s.calls, fmt.Sprint("prepare ", epoch))
	return fmt.Append(nil, epoch), nil
}

func (s *preparing) Commit(context.Context, []byte) error { return nil }

func (s *preparing) Recover(_ context.Context, commits [][]byte) error {
	s.calls = append(s.calls, fmt.Sprintf("recover %s", bytes.Join(commits, nil)))
	return nil
}
