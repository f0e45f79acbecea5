// Leak keeps allocating what it never lets go.
package main

import wasmill "github.com/wasmill/wasmill/abi/sdk/go"

func init() { wasmill.Map(`{"name": "leak", "kind": "map"}`, leak) }

func main() {} // not called

var kept [][]byte

func leak(*wasmill.Record, *wasmill.Output) error {
	for {
		kept = append(kept, make([]byte, 1<<20))
	}
}
