// Parse-log turns lines of the Apache and nginx access log into JSON objects, takes the
// event time from them and tags each one ok, error (status 400 to 599) or malformed.
package main

import (
	"bytes"
	"errors"

	wasmill "github.com/wasmill/wasmill/abi/sdk/go"
)

const description = `{
	"name": "parse-log", "version": "1.0.0", "kind": "map",
	"tags": ["ok", "error", "malformed"],
	"params": {"type": "object", "additionalProperties": false, "properties": {"format": {
		"enum": ["combined", "common"], "default": "combined",
		"description": "common lacks referer and agent"}}}
}`

func init() {
	wasmill.Map(description, handle)
	wasmill.Params(configure)
}

func main() {} // not called

var combined = true

// configure knows all parameters there can be, which saves the plugin encoding/json: half
// of its size and of the time to compile it.
func configure(params []byte) error {
	switch string(bytes.Join(bytes.Fields(params), nil)) {
	case `{}`, `{"format":"combined"}`:
		combined = true
	case `{"format":"common"}`:
		combined = false
	default:
		return errors.New(`the only parameter is format: combined or common`)
	}
	return nil
}

func handle(r *wasmill.Record, out *wasmill.Output) error {
	l, ok := parse(r.Value, combined)
	if !ok {
		out.EmitTag(r, "malformed")
		return nil
	}
	out.Buf = l.appendJSON(out.Buf, combined)
	r.Time, r.Value = l.time.unixNano(), out.Take()
	tag := "ok"
	if l.status[0] >= '4' {
		tag = "error"
	}
	out.EmitTag(r, tag)
	return nil
}
