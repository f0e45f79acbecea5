package connectortest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/wasmill/wasmill/host/stream"
)

// Transactional is such a sink under test.
type Transactional struct {
	// New returns what makes instances that are not open, over one outside system
	// that is empty, and what reads back the values that its readers see.
	New func(t *testing.T) (again func() stream.Transactional, seen func() []string)
	// Late says that a commit may show less than was prepared, until Close.
	Late bool
}

// The places where TestTransactional stops a sink.
const (
	afterWrite   = "after write"
	afterPrepare = "after prepare, before the checkpoint is published"
	afterPublish = "after the checkpoint is published, before commit"
	afterCommit  = "after commit"
)

// TestTransactional runs the suite.
func TestTransactional(t *testing.T, s Transactional) {
	t.Run("nothing is seen before commit, and all after it", func(t *testing.T) {
		r := s.run(t)
		for range 3 {
			shown := r.seen()
			r.write(5)
			flush(t, r.sink)
			equal(t, r.seen(), shown)
			r.prepare()
			equal(t, r.seen(), shown)
			r.publish()
			equal(t, r.seen(), shown)
			r.commit()
			if !s.Late {
				equal(t, r.seen(), r.written)
			}
		}
		closeSink(t, r.sink)
		equal(t, r.seen(), r.written)
	})
	t.Run("a commit may be repeated, by another instance too", func(t *testing.T) {
		r := s.run(t)
		for range 3 {
			r.write(5)
			r.prepare()
			r.publish()
			for range 2 {
				r.commit()
				other := r.again()
				if err := other.Commit(t.Context(), r.published.commit); err != nil {
					t.Fatalf("commit by another instance: %v", err)
				}
			}
		}
		closeSink(t, r.sink)
		equal(t, r.seen(), r.written)
	})
	t.Run("what a checkpoint that was given up had is in the next one", func(t *testing.T) {
		r := s.run(t)
		for range 3 {
			r.write(5)
			r.prepare()
		}
		r.write(5)
		r.prepare()
		r.publish()
		r.commit()
		closeSink(t, r.sink)
		equal(t, r.seen(), r.written)
	})
	t.Run("what a commit that failed was to show is shown by the next one", func(t *testing.T) {
		r := s.run(t)
		for range 3 {
			r.write(5)
			r.prepare()
			r.publish()
		}
		r.restart(false) // with the newest commit alone
		r.finish()
	})
	for _, stop := range []string{afterWrite, afterPrepare, afterPublish, afterCommit} {
		for _, closes := range []bool{false, true} {
			for _, epochs := range []int{0, 2} {
				t.Run(fmt.Sprintf("stopped in epoch %d %s, closed: %v", epochs+1, stop, closes), func(t *testing.T) {
					r := s.run(t)
					for range epochs {
						r.epoch()
					}
					r.stopAt(stop)
					r.restart(closes)
					r.stopAt(stop)
					r.restart(closes)
					r.epoch()
					r.finish()
				})
			}
		}
	}
	t.Run("an earlier checkpoint takes back what came after it", func(t *testing.T) {
		for back := 1; back <= 3; back++ {
			r := s.run(t)
			for range 4 {
				r.epoch()
			}
			closeSink(t, r.sink)
			r.history = r.history[:len(r.history)-back]
			r.published = r.history[len(r.history)-1]
			r.sink = nil
			r.restart(false)
			r.epoch()
			r.finish()
		}
	})
	t.Run("recovering changes nothing the second time", func(t *testing.T) {
		r := s.run(t)
		r.epoch()
		r.stopAt(afterPublish)
		for range 3 {
			r.restart(false)
		}
		r.finish()
	})
	t.Run("a start without a checkpoint forgets what was prepared", func(t *testing.T) {
		r := s.run(t)
		r.write(5)
		r.prepare()
		r.restart(false)
		r.epoch()
		r.finish()
	})
	t.Run("epochs without records are empty", func(t *testing.T) {
		r := s.run(t)
		for range 3 {
			r.prepare()
			r.publish()
			r.commit()
		}
		r.restart(true)
		r.prepare()
		r.publish()
		r.commit()
		equal(t, r.seen(), nil)
		r.epoch()
		r.finish()
	})
	t.Run("a commit that is garbage is an error and changes nothing", func(t *testing.T) {
		r := s.run(t)
		r.epoch()
		before := r.seen()
		for _, garbage := range []string{"", "x", "{}", "[]", "null", "\x00", string(r.published.commit) + "x"} {
			if err := r.sink.Commit(t.Context(), []byte(garbage)); err == nil {
				t.Errorf("committed %q", garbage)
			}
			other := r.again()
			if err := other.Recover(t.Context(), [][]byte{[]byte(garbage)}); err == nil {
				t.Errorf("recovered %q", garbage)
			}
			equal(t, r.seen(), before)
		}
		r.epoch()
		r.finish()
	})
}

// checkpoint is a published one: a commit, and how many values came before it.
type checkpoint struct {
	commit []byte
	values int
}

// run is a sink and the world around it.
type run struct {
	t         *testing.T
	again     func() stream.Transactional
	seen      func() []string
	sink      stream.Transactional
	epochs    uint64
	written   []string
	prepared  checkpoint
	published checkpoint
	history   []checkpoint
}

func (s Transactional) run(t *testing.T) *run {
	r := &run{t: t}
	r.again, r.seen = s.New(t)
	r.start()
	return r
}

func (r *run) start() {
	r.t.Helper()
	r.sink = r.again()
	if err := r.sink.Open(r.t.Context()); err != nil {
		r.t.Fatalf("open: %v", err)
	}
	var commits [][]byte
	if r.published.commit != nil {
		commits = append(commits, slices.Clone(r.published.commit))
	}
	if err := r.sink.Recover(r.t.Context(), commits); err != nil {
		r.t.Fatalf("recover: %v", err)
	}
}

// restart leaves the sink as it is, or closes it, and goes on with another one.
func (r *run) restart(closes bool) {
	r.t.Helper()
	if closes {
		closeSink(r.t, r.sink)
	}
	r.written = r.written[:r.published.values]
	r.start()
	if seen := r.seen(); len(seen) > len(r.written) || !slices.Equal(seen, r.written[:len(seen)]) {
		r.t.Fatalf("after a restart %q is seen, written was %q", seen, r.written)
	}
}

func (r *run) write(n int) {
	r.t.Helper()
	r.written = write(r.t, r.sink, r.written, n)
}

func (r *run) prepare() {
	r.t.Helper()
	r.epochs++
	commit, err := r.sink.Prepare(r.t.Context(), stream.Epoch(r.epochs))
	if err != nil {
		r.t.Fatalf("prepare: %v", err)
	}
	r.prepared = checkpoint{commit, len(r.written)}
}

func (r *run) publish() {
	r.published = r.prepared
	r.history = append(r.history, r.published)
}

func (r *run) commit() {
	r.t.Helper()
	if err := r.sink.Commit(r.t.Context(), r.published.commit); err != nil {
		r.t.Fatalf("commit: %v", err)
	}
}

// epoch is a whole one.
func (r *run) epoch() {
	r.t.Helper()
	r.write(3)
	r.write(4)
	r.prepare()
	r.publish()
	r.commit()
}

// stopAt is an epoch up to a place.
func (r *run) stopAt(place string) {
	r.t.Helper()
	r.write(3)
	flush(r.t, r.sink)
	r.write(4)
	if place == afterWrite {
		return
	}
	r.prepare()
	if place == afterPrepare {
		return
	}
	r.publish()
	if place == afterCommit {
		r.commit()
	}
}

// finish is the last epoch; then everything is seen.
func (r *run) finish() {
	r.t.Helper()
	r.epoch()
	closeSink(r.t, r.sink)
	equal(r.t, r.seen(), r.written)
}
