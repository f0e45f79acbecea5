package wasm

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/wasmill/wasmill/abi/abitest"
)

// TestAScratchIsASessionWithoutEffects does the same to one as to the simplest of states,
// and takes some calls back.
func TestAScratchIsASessionWithoutEffects(t *testing.T) {
	frame := []abitest.Record{{Key: "a"}, {Key: "b"}, {Key: "a"}}
	in := batchOf(frame)
	random := rand.New(rand.NewPCG(1, 2))
	var s scratch
	want := abitest.NewState()
	want.Begin(frame)
	look := func(from Session) (all []string) {
		for k := range frame {
			from.List(k, []byte("n"), func(name, value []byte) bool {
				got, ok := from.Get(k, name)
				all = append(all, fmt.Sprintf("%d %s=%s %s %v", k, name, value, got, ok))
				return true
			})
		}
		return all
	}
	for range 300 {
		s.begin(in)
		back := random.IntN(2) == 0
		for range random.IntN(6) {
			k, name, value := random.IntN(3), fmt.Appendf(nil, "n%d", random.IntN(4)), fmt.Appendf(nil, "v%d", random.IntN(100))
			for _, to := range []Session{&s, want} {
				switch {
				case to == Session(want) && back:
				case value[1] > '6':
					_ = to.Delete(k, name)
				default:
					if err := to.Put(k, name, value, 0); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		if back {
			s.rollback()
		}
		if got, want := look(&s), look(want); !slices.Equal(got, want) {
			t.Fatalf("there is %q, want %q", got, want)
		}
	}
}

// TestATrialWithTooMuchStateBlamesNobody has a guest that writes more than a trial may.
func TestATrialWithTooMuchStateBlamesNobody(t *testing.T) {
	var s scratch
	s.begin(batchOf([]abitest.Record{{Key: "a"}}))
	value := make([]byte, 1<<20)
	for k := range 100 {
		if err := s.Put(0, fmt.Append(nil, k), value, 0); err != nil {
			if err != errScratch || k != 15 {
				t.Errorf("put %d: %v", k, err)
			}
			break
		}
	}
	if s.Delete(0, []byte("0")) != errScratch {
		t.Error("it goes on")
	}
	whole := abitest.Const(0x200000)
	name := func(k int32) []byte {
		return slices.Concat(abitest.Const(0), abitest.Const(0x1000), abitest.Const(k), abitest.Const(0), whole, abitest.Const64(0), abitest.Call(1))
	}
	hoard := processGuest("process", processBody(name(1), name(2), name(3), name(4), name(5), name(6), name(7), name(8), name(9)))
	c := trial{old: processGuest("process", processBody()), next: hoard}
	if got, err := c.try(t, newEngine(t), lettered()); err != nil || got.Records != 0 {
		t.Errorf("got %v, %v", got, err)
	}
}
