package checkpoint

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// gate is a memory whose Put of data objects waits to be let through.
type gate struct {
	*memory
	open chan struct{}
}

func (g *gate) Put(ctx context.Context, name string, data []byte) error {
	if strings.Contains(name, "/data-") {
		select {
		case <-g.open:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return g.memory.Put(ctx, name, data)
}

func TestAStreamIsHeldBackByItsUploads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const uploads = 2
		s := &gate{newMemory(), make(chan struct{})}
		w := claim(t, s)
		w.config.Uploads = uploads
		var given atomic.Int64
		block := noise(1, blockBytes)
		const blocks = 61
		source := Snapshot{Vertex: "a", Stream: func(yield func(Part) error) error {
			for g := range blocks {
				given.Add(blockBytes)
				if err := yield(Part{Table: "x", From: g, To: g + 1, Data: block}); err != nil {
					return err
				}
			}
			return nil
		}}
		var err error
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, err = w.Write(t.Context(), 1, Info{}, []Snapshot{source})
		}()
		const perObject = (MaxObject - objectHead) / (blockHead + blockBytes) // blocks
		for stored := int64(0); ; stored++ {
			synctest.Wait()
			want := min(blocks, (stored+uploads+1)*perObject+1) * blockBytes
			if got := given.Load(); got != want {
				t.Fatalf("%d bytes were given when %d objects were stored, instead of %d", got, stored, want)
			}
			select {
			case s.open <- struct{}{}:
				continue
			case <-done:
			}
			break
		}
		if err != nil || len(s.names("/data-")) != (blocks+perObject-1)/perObject {
			t.Errorf("%v: %v", err, s.names("/data-"))
		}
	})
}

// isGivenUp checks that epoch 2 is not there, that nothing is left of it when it is
// discarded, and that the next one builds on epoch 1.
func isGivenUp(t *testing.T, s *memory, w *Writer) {
	t.Helper()
	if got := s.names("/epochs/"); len(got) != 1 || w.Parent().Epoch != 1 {
		t.Errorf("records %v, parent %d", got, w.Parent().Epoch)
	}
	if err := w.Discard(t.Context(), 2); err != nil {
		t.Error(err)
	}
	if got := s.names(folderOf(1, 2)); len(got) > 0 {
		t.Errorf("left behind: %v", got)
	}
	write(t, w, 3, streamed("a", delta("x", 0, 1, "+3")))
	if _, got, err := restore(t.Context(), s); err != nil || got["a/x"][0] != "1+3" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestAnErrorOfAStreamGivesTheCheckpointUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newMemory()
		w := claim(t, s)
		w.large = 4 << 20
		write(t, w, 1, snapshot("a", full("x", 0, 1, "1")))
		second := "p/" + dataOf(1, 2, 1)
		s.faults(func(op, name string) verdict {
			if name == second {
				return hang // until the error ends it
			}
			return pass
		})
		broken := errors.New("page 7 cannot be read")
		large := noise(1, 9<<20)
		m, err := w.Write(t.Context(), 2, Info{}, []Snapshot{{Vertex: "a", Stream: func(yield func(Part) error) error {
			if err := yield(full("x", 0, 1, string(large))); err != nil {
				return err
			}
			synctest.Wait()
			return broken
		}}, {Vertex: "b", Stream: func(func(Part) error) error {
			t.Error("another stream is read after that")
			return nil
		}}})
		if m != nil || !errors.Is(err, broken) || !strings.Contains(err.Error(), "read the parts of a") {
			t.Errorf("%v", err)
		}
		s.faults(nil)
		if got := s.names(folderOf(1, 2)); len(got) != 1 {
			t.Errorf("litter %v", got)
		}
		isGivenUp(t, s, w)
	})
}

// endless gives parts until yield returns an error, and returns what a function makes
// of it.
func endless(t *testing.T, data []byte, then func(error) error) func(func(Part) error) error {
	return func(yield func(Part) error) error {
		for range 1000 {
			if err := yield(Part{Table: "x", To: 1, Data: data}); err != nil {
				if yield(Part{Table: "x", To: 1}) == nil {
					t.Error("yield takes parts again")
				}
				return then(err)
			}
			time.Sleep(time.Second)
		}
		t.Error("the stream is not ended")
		return nil
	}
}

func TestAStreamEndsWhenItsCheckpointIsGivenUp(t *testing.T) {
	for _, c := range []struct {
		name    string
		data    []byte
		timeout time.Duration
		want    error
	}{
		{"an upload fails while large parts are given", noise(1, 500_000), time.Hour, errAway},
		{"an upload fails while small parts are given", []byte("small"), time.Hour, errAway},
		{"the time is over while large parts are given", noise(1, 500_000), time.Minute, context.DeadlineExceeded},
		{"the time is over while small parts are given", []byte("small"), time.Minute, context.DeadlineExceeded},
	} {
		for name, stubborn := range map[string]bool{c.name: false, c.name + ", which it hides": true} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newMemory()
					w := claim(t, s)
					w.large = 1 << 20
					write(t, w, 1, snapshot("a", full("x", 0, 1, "1")))
					s.faults(func(op, name string) verdict {
						switch {
						case op != "put":
							return pass
						case c.want == errAway:
							return refuse
						}
						return hang
					})
					ctx, cancel := context.WithTimeout(t.Context(), c.timeout)
					defer cancel()
					begun := time.Now()
					// The first part fills objects, so that uploads are under way.
					a := Snapshot{Vertex: "a", Parts: []Part{full("x", 0, 1, string(noise(2, 3<<20)))}}
					a.Stream = endless(t, c.data, func(err error) error {
						if stubborn {
							return nil
						}
						return err
					})
					if _, err := w.Write(ctx, 2, Info{}, []Snapshot{a}); !errors.Is(err, c.want) || time.Since(begun) > c.timeout+time.Second {
						t.Errorf("%v after %v", err, time.Since(begun))
					}
					s.faults(nil)
					isGivenUp(t, s, w)
				})
			})
		}
	}
}

func TestTwoWritesNeverOverlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newMemory()
		w := claim(t, s)
		write(t, w, 1, snapshot("a", full("x", 0, 1, "1")))
		reading := 0
		proceed := make(chan struct{})
		source := func() Snapshot {
			return Snapshot{Vertex: "a", Since: 1, Stream: func(yield func(Part) error) error {
				reading++
				defer func() { reading-- }()
				<-proceed
				return yield(delta("x", 0, 1, "+"))
			}}
		}
		start := func(ctx context.Context, e stream.Epoch) chan error {
			out := make(chan error, 1)
			go func() {
				_, err := w.Write(ctx, e, Info{}, []Snapshot{source()})
				out <- err
			}()
			synctest.Wait()
			return out
		}
		first, cancelFirst := context.WithCancel(t.Context())
		a := start(first, 2)
		b := start(t.Context(), 3)
		third, cancelThird := context.WithCancel(t.Context())
		c := start(third, 4)

		// One that waits for its turn ends at once; one that reads a stream, with its next part.
		cancelThird()
		if err := <-c; !errors.Is(err, context.Canceled) {
			t.Errorf("the third: %v", err)
		}
		cancelFirst()
		synctest.Wait()
		if len(a) > 0 || reading != 1 {
			t.Errorf("%d streams are read, and %d writes have ended before", reading, len(a))
		}
		proceed <- struct{}{}
		if err := <-a; !errors.Is(err, context.Canceled) {
			t.Errorf("the first: %v", err)
		}
		synctest.Wait()
		if reading != 1 || len(b) > 0 {
			t.Errorf("%d streams are read", reading)
		}
		proceed <- struct{}{}
		if err := <-b; err != nil {
			t.Errorf("the second: %v", err)
		}
		if _, got, err := restore(t.Context(), s); err != nil || got["a/x"][0] != "1+" || w.Parent().Epoch != 3 {
			t.Errorf("%q, %v", got, err)
		}
	})
}
