// Spin never returns.
package main

import wasmill "github.com/wasmill/wasmill/abi/sdk/go"

func init() { wasmill.Map(`{"name": "spin", "kind": "map"}`, spin) }

func main() {} // not called

func spin(*wasmill.Record, *wasmill.Output) error {
	for {
	}
}
