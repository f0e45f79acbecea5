// Dive calls itself as deep as a record says, through an interface, and there lets
// other goroutines run.
package main

import (
	"runtime"
	"strconv"

	wasmill "github.com/wasmill/wasmill/abi/sdk/go"
)

func init() { wasmill.Map(`{"name": "dive", "kind": "map"}`, dive) }

func main() {} // not called

type diver interface{ down(n int) int }

type odd struct{ next diver }
type even struct{ next diver }

func (d *odd) down(n int) int {
	if n == 0 {
		runtime.Gosched()
		return 0
	}
	return d.next.down(n-1) + 1
}

func (d *even) down(n int) int {
	if n == 0 {
		return 0
	}
	return 1 + d.next.down(n-1)
}

func dive(r *wasmill.Record, out *wasmill.Output) error {
	depth, err := strconv.Atoi(string(r.Value))
	if err != nil {
		return err
	}
	a, b := &odd{}, &even{}
	a.next, b.next = b, a
	r.Value = strconv.AppendInt(nil, int64(a.down(depth)), 10)
	out.Emit(r)
	return nil
}
