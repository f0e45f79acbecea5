package storetest

import (
	"context"
	"iter"
	"strings"
	"sync"
	"time"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/host/stream"
)

// Op is a method of Store. All fits every method.
type Op string

const (
	All    Op = ""
	Create Op = "create"
	Put    Op = "put"
	Get    Op = "get"
	List   Op = "list"
	Delete Op = "delete"
)

// Fault is what goes wrong in a call. The zero value is none.
type Fault struct {
	Err   error         // do nothing, and return this
	Lose  error         // do it, and return this in place of success
	Hang  bool          // do nothing, and wait until Heal or the end of the context
	Delay time.Duration // wait before, no longer than the context

	// Alter changes what Get returns, as a damaged object would.
	Alter func(data []byte) []byte
}

// Down is what a store returns that is not there.
var Down error = &stream.Error{Code: stream.StoreUnavailable, Where: "storetest", Why: "the store is down", Fix: "heal it"}

// Faulty is a store that fails on demand, around one that does not.
type Faulty struct {
	Store checkpoint.Store

	mu    sync.Mutex // guards what follows
	rules []*rule
	calls map[Op]int
}

var _ checkpoint.Store = (*Faulty)(nil)

// rule gives a fault to some calls.
type rule struct {
	op     Op
	name   string
	times  int // what is left; negative for ever
	fault  Fault
	healed chan struct{}
}

// Break lets the next calls of a method for a name (or prefix) that contains a
// text meet a fault: so many times, or until Heal if times is 0. Empty op and
// text mean all. The first rule that fits counts.
func (f *Faulty) Break(op Op, name string, times int, fault Fault) {
	if times == 0 {
		times = -1
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = append(f.rules, &rule{op: op, name: name, times: times, fault: fault, healed: make(chan struct{})})
}

// Heal ends all faults. Calls that hang return Down.
func (f *Faulty) Heal() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.rules {
		close(r.healed)
	}
	f.rules = nil
}

// Calls returns how many calls of a method there were.
func (f *Faulty) Calls(op Op) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for o, calls := range f.calls {
		if op == All || op == o {
			n += calls
		}
	}
	return n
}

// meet counts a call and suffers its fault as far as that comes before the work.
// With an error, the work is not done.
func (f *Faulty) meet(ctx context.Context, op Op, names ...string) (Fault, error) {
	r := f.fits(op, names)
	if r.fault.Delay > 0 {
		timer := time.NewTimer(r.fault.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return Fault{}, ctx.Err()
		}
	}
	if r.fault.Hang {
		select {
		case <-r.healed:
			return Fault{}, Down
		case <-ctx.Done():
			return Fault{}, ctx.Err()
		}
	}
	return r.fault, r.fault.Err
}

func (f *Faulty) fits(op Op, names []string) *rule {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.calls == nil {
		f.calls = map[Op]int{}
	}
	f.calls[op]++
	for _, r := range f.rules {
		if r.times == 0 || r.op != All && r.op != op {
			continue
		}
		for _, name := range names {
			if strings.Contains(name, r.name) {
				r.times--
				return r
			}
		}
	}
	return &rule{}
}

// lost returns what a call says that was done.
func (t Fault) lost(err error) error {
	if err == nil {
		return t.Lose
	}
	return err
}

// Create implements checkpoint.Store.
func (f *Faulty) Create(ctx context.Context, name string, data []byte) error {
	fault, err := f.meet(ctx, Create, name)
	if err != nil {
		return err
	}
	return fault.lost(f.Store.Create(ctx, name, data))
}

// Put implements checkpoint.Store.
func (f *Faulty) Put(ctx context.Context, name string, data []byte) error {
	fault, err := f.meet(ctx, Put, name)
	if err != nil {
		return err
	}
	return fault.lost(f.Store.Put(ctx, name, data))
}

// Get implements checkpoint.Store.
func (f *Faulty) Get(ctx context.Context, name string) ([]byte, error) {
	fault, err := f.meet(ctx, Get, name)
	if err != nil {
		return nil, err
	}
	data, err := f.Store.Get(ctx, name)
	if err = fault.lost(err); err != nil {
		return nil, err
	}
	if fault.Alter != nil {
		data = fault.Alter(data)
	}
	return data, nil
}

// List implements checkpoint.Store. With Lose, the error comes after the objects.
func (f *Faulty) List(ctx context.Context, prefix string) iter.Seq2[checkpoint.Object, error] {
	return func(yield func(checkpoint.Object, error) bool) {
		fault, err := f.meet(ctx, List, prefix)
		if err != nil {
			yield(checkpoint.Object{}, err)
			return
		}
		for o, err := range f.Store.List(ctx, prefix) {
			if !yield(o, err) {
				return
			}
		}
		if fault.Lose != nil {
			yield(checkpoint.Object{}, fault.Lose)
		}
	}
}

// Delete implements checkpoint.Store.
func (f *Faulty) Delete(ctx context.Context, names ...string) error {
	fault, err := f.meet(ctx, Delete, names...)
	if err != nil {
		return err
	}
	return fault.lost(f.Store.Delete(ctx, names...))
}

// Close implements checkpoint.Store.
func (f *Faulty) Close() error { return f.Store.Close() }
