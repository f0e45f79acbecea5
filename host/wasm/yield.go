package wasm

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/wasmill/wasmill/host/wasm/meter"
)

// Slices of fuel are adapted so that a guest yields about this often. A yield
// is where Go's garbage collector and scheduler get at a guest.
const (
	sliceTarget = 300 * time.Microsecond
	minSlice    = 10_000
	maxSlice    = 4_000_000
	firstSlice  = 100_000
)

// errDeadline ends a call that took too long, errFuel one that did too much,
// errStack one that called too deep.
var (
	errDeadline = errors.New("deadline passed")
	errFuel     = errors.New("fuel used up")
	errStack    = errors.New("stack used up")
)

// tooDeep says whether an error is that of a guest that used up its stack, or
// wazero's, which is far larger: for a plugin that is not metered, or whose frames
// are larger than package meter takes them for.
func tooDeep(err error) bool {
	return errors.Is(err, errStack) || err != nil && strings.TrimPrefix(firstLine(err.Error()), "wasm error: ") == "stack overflow"
}

// clock measures the time that a guest runs. Times are since epoch, monotonic.
type clock struct {
	epoch    time.Time
	deadline time.Duration // of the call under way
	resumed  time.Duration // when the guest last got to run
	spent    time.Duration // of the slice, in earlier calls
	slice    int64
	ctx      context.Context // of the call under way
	waited   time.Duration   // of it, in functions of the host

	fuel   api.MutableGlobal // the guest's; nil if it is not metered
	stack  api.Global        // the guest's: what is left; nil before the first yield
	budget int64             // fuel that the call under way has left, beyond its slice; only if there is a limit
	capped bool              // there is a limit
}

// now returns the time since the epoch.
func (c *clock) now() time.Duration { return time.Since(c.epoch) }

// begin starts the clock of a call. With a limit on fuel the call ends at the
// same instruction each time, however the slices fall.
func (c *clock) begin(ctx context.Context, now time.Time, limit time.Duration, fuel int64) {
	c.resumed = now.Sub(c.epoch)
	c.deadline = c.resumed + limit
	c.ctx, c.waited = ctx, 0
	if c.capped = fuel > 0 && c.fuel != nil; c.capped {
		first := min(c.slice, fuel)
		c.budget = fuel - first
		c.fuel.Set(uint64(first))
	}
}

// end stops the clock of a call.
func (c *clock) end() {
	c.spent += c.now() - c.resumed
	c.ctx = nil
}

// yield lets others run and returns the next slice, or an error that ends the
// call.
func (c *clock) yield() (slice int64, err error) {
	now := c.now()
	if now > c.deadline {
		return 0, errDeadline
	}
	if c.ctx != nil && c.ctx.Err() != nil {
		return 0, context.Cause(c.ctx)
	}
	took := c.spent + now - c.resumed
	switch {
	case took < sliceTarget/2:
		c.slice = min(2*c.slice, maxSlice)
	case took > sliceTarget:
		c.slice = max(int64(float64(c.slice)*float64(sliceTarget)/float64(took)), minSlice)
	}
	runtime.Gosched()
	c.resumed, c.spent = c.now(), 0
	if !c.capped {
		return c.slice, nil
	}
	owed := -int64(c.fuel.Get()) // what the guest went below zero
	if c.budget < owed {
		return 0, errFuel
	}
	slice = min(c.slice, c.budget-owed)
	c.budget -= slice + owed
	return slice, nil
}

// instantiateMeter defines the module that metered guests import.
func instantiateMeter(ctx context.Context, r wazero.Runtime) error {
	yield := func(ctx context.Context, m api.Module, stack []uint64) {
		i := ctx.Value(instanceKey{}).(*instance)
		i.vertex.yields.Add(1)
		if i.clock.stack == nil {
			i.clock.stack = m.ExportedGlobal(meter.ExportStack)
		}
		if int64(i.clock.stack.Get()) < 0 {
			panic(errStack)
		}
		slice, err := i.clock.yield()
		if err != nil {
			panic(err)
		}
		stack[0] = uint64(slice)
	}
	_, err := r.NewHostModuleBuilder(meter.ImportModule).
		NewFunctionBuilder().
		WithGoModuleFunction(api.GoModuleFunc(yield), nil, []api.ValueType{api.ValueTypeI64}).
		Export(meter.ImportYield).
		Instantiate(ctx)
	if err != nil {
		return fmt.Errorf("instantiate module %s: %w", meter.ImportModule, err)
	}
	return nil
}
