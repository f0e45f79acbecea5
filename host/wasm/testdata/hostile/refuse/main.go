// Refuse panics before it is asked for anything.
package main

import wasmill "github.com/wasmill/wasmill/abi/sdk/go"

func init() {
	wasmill.Map(`{"name": "refuse", "kind": "map"}`, nil)
	panic("not on this machine")
}

func main() {} // not called
