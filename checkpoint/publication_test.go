package checkpoint

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/wasmill/wasmill/host/stream"
)

func TestALostAnswerIsNoFailure(t *testing.T) {
	for _, op := range []string{"create p/generations", "create p/epochs", "create p/committed", "put p/gen"} {
		t.Run(op, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newMemory()
				lost := 0
				s.faults(func(o, name string) verdict {
					if strings.HasPrefix(o+" "+name, op) && lost == 0 {
						lost++
						return lose
					}
					return pass
				})
				w := claim(t, s)
				write(t, w, 1, snapshot("a", full("x", 0, 1, "1")))
				if err := w.MarkCommitted(t.Context(), 1); err != nil {
					t.Fatal(err)
				}
				if lost != 1 || w.Generation() != 1 {
					t.Errorf("%d answers lost, generation %d", lost, w.Generation())
				}
				if out, _, err := restore(t.Context(), s); err != nil || out.Manifest.Epoch != 1 || len(s.names("")) != 4 {
					t.Errorf("%+v, %v, %v", out, err, s.names(""))
				}
			})
		})
	}
}

func TestAnAnswerLostAtTheEndOfTheTimeIsNoFailure(t *testing.T) {
	s := newMemory()
	w := claim(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s.faults(func(op, name string) verdict {
		if op == "create" {
			cancel()
			return lose
		}
		return pass
	})
	m, err := w.Write(ctx, 1, Info{}, []Snapshot{snapshot("a", full("x", 0, 1, "1"))})
	if err != nil || w.Parent() != m {
		t.Errorf("%v", err)
	}
}

func TestARequestThatFailsIsMadeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newMemory()
		tried := make(map[string]int)
		s.faults(func(op, name string) verdict {
			if tried[op+name]++; tried[op+name] <= 2 {
				return refuse
			}
			return pass
		})
		w := claim(t, s)
		write(t, w, 1, snapshot("a", full("x", 0, 1, string(noise(1, 10_000)))))
		if _, _, err := restore(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	})
}

func TestANewerGenerationFencesAnOlderOne(t *testing.T) {
	s := newMemory()
	a := claim(t, s)
	write(t, a, 1, snapshot("a", full("x", 0, 1, "1")))
	b := claim(t, s)
	if b.Generation() != 2 || b.Starts() != 1 {
		t.Fatalf("generation %d after %d starts", b.Generation(), b.Starts())
	}
	_, err := a.Write(t.Context(), 2, Info{}, []Snapshot{snapshot("a", full("x", 0, 1, "2"))})
	if !errors.Is(err, ErrFenced) || stream.CodeOf(err) != stream.CheckpointFenced || !strings.Contains(err.Error(), "generation 2 was claimed by process") {
		t.Errorf("%v", err)
	}
	if err := a.Owns(t.Context()); !errors.Is(err, ErrFenced) {
		t.Errorf("owns: %v", err)
	}
	if got := s.names("/epochs/"); len(got) != 1 {
		t.Errorf("records %v", got)
	}
	if err := b.Owns(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestOfTwoThatPublishAnEpochOneWins(t *testing.T) {
	s := newMemory()
	a, b := claim(t, s), claim(t, s)
	one := []Snapshot{snapshot("a", full("x", 0, 1, "1"))}
	// a is past its look at the generations when b publishes.
	s.faults(func(op, name string) verdict {
		if op == "create" && strings.HasPrefix(name, "p/epochs/") {
			s.fault = nil
			body, _ := record{Format: 1, Epoch: 1, Generation: 2, Nonce: b.nonce, Manifest: manifestOf(2, 1)}.encode()
			_ = s.store(name, body)
		}
		return pass
	})
	a.generation = 2 // as if b had not been there at its look
	_, err := a.Write(t.Context(), 1, Info{}, one)
	if !errors.Is(err, ErrFenced) {
		t.Errorf("%v", err)
	}
}

func TestAMarkOfANewerGenerationFences(t *testing.T) {
	s := newMemory()
	a, b := claim(t, s), claim(t, s)
	for _, e := range []stream.Epoch{1, 1} {
		if err := a.MarkCommitted(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.MarkCommitted(t.Context(), 1); err != nil {
		t.Errorf("a mark of the generation before is as good: %v", err)
	}
	if err := b.MarkCommitted(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	if err := a.MarkCommitted(t.Context(), 2); !errors.Is(err, ErrFenced) {
		t.Errorf("%v", err)
	}
}
