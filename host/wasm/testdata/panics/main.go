// Panics reads past the end of every value: a guest with a bug.
package main

import wasmill "github.com/wasmill/wasmill/abi/sdk/go"

func init() { wasmill.Map(`{"name": "panics", "kind": "map"}`, seventh) }

func main() {} // not called

func seventh(r *wasmill.Record, out *wasmill.Output) error {
	n := 7
	r.Value = r.Value[n : n+int(r.Value[n])]
	out.Emit(r)
	return nil
}
