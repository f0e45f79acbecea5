// Gojson decodes JSON with the standard library and encodes it again.
package main

import (
	"encoding/json"

	wasmill "github.com/wasmill/wasmill/abi/sdk/go"
)

func init() { wasmill.Map(`{"name": "gojson", "kind": "map"}`, again) }

func main() {} // not called

func again(r *wasmill.Record, out *wasmill.Output) (err error) {
	var v any
	if err = json.Unmarshal(r.Value, &v); err != nil {
		return err
	}
	if r.Value, err = json.Marshal(v); err == nil {
		out.Emit(r)
	}
	return err
}
