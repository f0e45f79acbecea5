package statetest

import (
	"bytes"
	"errors"
	"iter"
	"slices"

	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/host/stream"
)

// Part is one that a stream.Frozen gave.
type Part struct {
	Table    string
	From, To int
	Full     bool
	Data     []byte
}

// checkpoint is the parts from which a vertex is restored, in order, as package
// checkpoint keeps them.
type checkpoint struct {
	parts []Part
	at    int // steps that were done
}

// chained returns the parts of a checkpoint with those of the next one: full ones
// replace those of the same groups.
func chained(parts []Part, next ...Part) []Part {
	all := slices.Clone(parts)
	for _, p := range next {
		if p.Full {
			all = slices.DeleteFunc(all, func(old Part) bool {
				return old.Table == p.Table && old.From >= p.From && old.To <= p.To
			})
		}
		all = append(all, p)
	}
	return all
}

// view is a Frozen that is being read.
type view struct {
	frozen stream.Frozen
	at     int // steps that were done
	size   int64
	next   func() (Part, bool)
	stop   func()
	parts  []Part
	ended  bool
}

var errStopped = errors.New("the reader stops")

func newView(t *rapid.T, d stream.Durable, full bool, at int) *view {
	v := &view{frozen: d.Freeze(full), at: at}
	v.size = v.frozen.Size()
	v.next, v.stop = iter.Pull(func(yield func(Part) bool) {
		err := v.frozen.Parts(func(table string, from, to int, full bool, entries int, data []byte) error {
			if from < 0 || from >= to || to > d.Groups() || table == "" || entries < 0 {
				t.Fatalf("a part of table %q, groups %d to %d, with %d entries", table, from, to, entries)
			}
			if !yield(Part{table, from, to, full, bytes.Clone(data)}) {
				return errStopped
			}
			return nil
		})
		if err != nil && err != errStopped {
			t.Fatal(err)
		}
	})
	return v
}

func (v *view) read(n int) {
	for ; n > 0 && !v.ended; n-- {
		p, ok := v.next()
		if v.ended = !ok; ok {
			v.parts = append(v.parts, p)
		}
	}
}

// release says whether a checkpoint has come of it.
func (v *view) release(t *rapid.T, saved bool) bool {
	v.stop()
	saved = saved && v.ended
	v.frozen.Release(saved)
	if given := int64(0); v.ended {
		for _, p := range v.parts {
			given += int64(len(p.Data))
		}
		if v.size < 0 || given > 4*v.size+1024 || v.size > 4*given+1024 {
			t.Fatalf("parts of %d bytes were said to be about %d", given, v.size)
		}
	}
	return saved
}
