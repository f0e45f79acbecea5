// Identity-go passes every record through: the speed of the Go SDK and nothing else.
package main

import wasmill "github.com/wasmill/wasmill/abi/sdk/go"

func init() { wasmill.Map(`{"name": "identity-go", "version": "1.0.0", "kind": "map"}`, pass) }

func main() {} // not called

func pass(r *wasmill.Record, out *wasmill.Output) error {
	out.Emit(r)
	return nil
}
