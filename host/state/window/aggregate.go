package window

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Record is what is folded into a window. Its bytes are only read, and not kept.
type Record struct {
	Key  []byte // any bytes, also none
	Time int64  // event time, ns since 1970
	// Value is what the aggregator works on: a number as JSON writes it, or for
	// distinct any bytes; count ignores it.
	Value []byte
	Item  []byte // what topK keeps beside the number; may be nil
}

// ErrCorrupt says that stored bytes are not what this package wrote.
var ErrCorrupt = errors.New("corrupt window state")

// Aggregator folds records into an accumulator, which is bytes, so that it can be
// stored and snapshotted. It has no state of its own and may be used by several
// goroutines. The order of calls to Add and Merge does not change the result, but
// for rounding where floating point numbers are added.
//
// Functions that return an accumulator may change acc in place, or append to it.
// An error of Add is a *stream.Error with code record-error if the record is to
// blame, and wraps ErrCorrupt if acc or other is; acc is unchanged then.
type Aggregator interface {
	// Init appends an empty accumulator to dst.
	Init(dst []byte) []byte
	// Add folds one record in.
	Add(acc []byte, r Record) ([]byte, error)
	// Merge folds the records of other in. The two do not overlap in memory.
	Merge(acc, other []byte) ([]byte, error)
	// Result appends the result to dst as one JSON value.
	Result(dst, acc []byte) ([]byte, error)
}

// catalog lists the built-in aggregators.
var catalog = map[string]func(k int) Aggregator{
	"count":    func(int) Aggregator { return count{} },
	"sum":      func(int) Aggregator { return sum{} },
	"avg":      func(int) Aggregator { return average{} },
	"min":      func(int) Aggregator { return extreme{sign: -1} },
	"max":      func(int) Aggregator { return extreme{sign: 1} },
	"topK":     func(k int) Aggregator { return topK{k} },
	"distinct": func(int) Aggregator { return distinct{} },
}

// MaxK is the most that topK keeps.
const MaxK = 1000

// Builtin returns the aggregator of a name: count, sum, avg, min, max, topK or
// distinct. k is that of topK, from 1 to MaxK, and 0 for the others. An error is
// as that of Validate.
func Builtin(name string, k int) (Aggregator, error) {
	build, ok := catalog[name]
	if !ok {
		names := make([]string, 0, len(catalog))
		for n := range catalog {
			names = append(names, n)
		}
		slices.Sort(names)
		return nil, wrong(fmt.Sprintf("there is no built-in aggregation %q", name), "write one of "+strings.Join(names, ", "))
	}
	if name == "topK" && (k < 1 || k > MaxK) {
		return nil, wrong(fmt.Sprintf("topK keeps %d values", k), fmt.Sprintf("give k from 1 to %d", MaxK))
	}
	if name != "topK" && k != 0 {
		return nil, wrong(fmt.Sprintf("%s has a k", name), "leave k out, or take topK")
	}
	return build(k), nil
}

// sized returns an error unless an accumulator has n bytes.
func sized(acc []byte, n int) error {
	if len(acc) != n {
		return fmt.Errorf("accumulator of %d bytes instead of %d: %w", len(acc), n, ErrCorrupt)
	}
	return nil
}
