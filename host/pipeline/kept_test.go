package pipeline

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"

	"github.com/wasmill/wasmill/host/stream"
)

// keeper remembers the last number that it was given, keeps what it has done when
// others fail, and so must be given each once and in order. It traps at multiples of
// 100 and refuses those of 7.
type keeper struct {
	t    *testing.T
	last int
	err  error // at 55, if it is not nil
}

func (k *keeper) Groups() int                           { return 1 }
func (k *keeper) Key(*stream.Batch, int) ([]byte, bool) { return nil, true }
func (k *keeper) Group([]byte) int                      { return 0 }
func (k *keeper) Close(context.Context) error           { return nil }

func (k *keeper) Call(context.Context, *stream.Batch, *stream.Output) error {
	panic("BUG: called without groups")
}

func (k *keeper) In(_ context.Context, in *stream.Batch, out *stream.Output) error {
	before := k.last
	for i := range in.Records {
		n, err := strconv.Atoi(string(in.Value(i)))
		if err != nil {
			return err
		}
		switch {
		case n <= k.last:
			k.t.Errorf("%d comes after %d", n, k.last)
		case n == 55 && k.err != nil:
			return k.err
		case n%100 == 0:
			k.last = before
			return errors.New("trapped")
		case n%7 == 0:
			out.Failures = append(out.Failures, stream.Failure{Input: i, Reason: "a multiple of 7"})
		default:
			out.AppendFrom(in, i)
		}
		k.last = n
	}
	out.Kept = true
	return nil
}

func (k *keeper) Due(int, int) (stream.Watermark, bool) { return 0, false }
func (k *keeper) Alarm(int, int) (int64, bool)          { return 0, false }

func (k *keeper) Advance(context.Context, int, int, stream.Watermark, int64, *stream.Batch, *stream.Output) error {
	return nil
}

func TestWhatIsKeptIsNotGivenAgain(t *testing.T) {
	k, a, dead := &keeper{t: t}, &collect{}, &letters{}
	p := mustNew(t, withDeadLetters(&numbers{first: 1, count: 1000, batch: 300}, udf("x", 1, k), a, dead), Hooks{})
	if err := p.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	var well, ill []int
	for n := 1; n <= 1000; n++ {
		if n%100 == 0 || n%7 == 0 {
			ill = append(ill, n)
		} else {
			well = append(well, n)
		}
	}
	if !slices.Equal(a.sorted(), well) || !slices.Equal(dead.sorted(), ill) {
		t.Errorf("%d handled and %d dead letters, want %d and %d", len(a.values), len(dead.values), len(well), len(ill))
	}
	if !slices.IsSortedFunc(a.values, func(x, y string) int {
		m, _ := strconv.Atoi(x)
		n, _ := strconv.Atoi(y)
		return m - n
	}) {
		t.Error("results are out of order")
	}
}

func TestAFatalErrorFailsTheVertexAndBlamesNoRecord(t *testing.T) {
	a, dead := &collect{}, &letters{}
	k := &keeper{t: t, err: &stream.Fatal{Err: &stream.Error{Code: stream.GuestReplay, Where: "x, plugin y", Why: "gone"}}}
	p := mustNew(t, withDeadLetters(&numbers{first: 1, count: 60, batch: 60}, udf("x", 1, k), a, dead), Hooks{})
	err := p.Run(t.Context(), nil)
	if e := (*stream.Error)(nil); !errors.As(err, &e) || e.Code != stream.GuestReplay || e.Where != "x, plugin y" || len(dead.values) != 0 {
		t.Errorf("got %v, and %d dead letters", err, len(dead.values))
	}
}
