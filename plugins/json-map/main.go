// Json-map makes a JSON object out of another: fields are renamed, moved, converted and
// dropped, and constants added. It shows parameters that are more than flat.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	wasmill "github.com/wasmill/wasmill/abi/sdk/go"
)

const description = `{
	"name": "json-map", "version": "1.0.0", "kind": "map", "tags": [],
	"params": {"type": "object", "additionalProperties": false, "properties": {
		"fields": {"type": "object", "default": {}, "description": "by the path where a value is to be, the path where it is", "additionalProperties": {
			"type": ["string", "object"], "required": ["from"], "additionalProperties": false, "properties": {
				"from": {"type": "string", "description": "that path, if more is to be said"},
				"as": {"enum": ["string", "number", "integer", "boolean"], "description": "what the value is converted to; else it stays what it is"},
				"default": {"description": "takes the place of what is missing or null; else what is missing is left out"}}}},
		"constants": {"type": "object", "default": {}, "description": "values by the path where they are to be"},
		"keep": {"type": "boolean", "default": false, "description": "what no field is taken from stays where it is"},
		"drop": {"type": "array", "items": {"type": "string"}, "default": [], "description": "paths of what does not stay then"}}}
}`

func init() {
	wasmill.Map(description, convert)
	wasmill.Params(configure)
}

func main() {} // not called

var (
	fields []field // sorted by where they are to be
	gone   []path  // what does not stay where it is
	keep   bool
)

func configure(text []byte) error {
	var params struct {
		Fields    map[string]field
		Constants map[string]json.RawMessage
		Keep      bool
		Drop      []path
	}
	if err := strict(text, &params); err != nil {
		return err
	}
	if len(params.Drop) > 0 && !params.Keep {
		return errors.New("drop is for keep: true, without which all goes that is not in fields")
	}
	fields, gone, keep = nil, params.Drop, params.Keep
	for to, f := range params.Fields {
		f.to, gone = pathOf(to), append(gone, f.From)
		fields = append(fields, f)
	}
	for to, value := range params.Constants {
		fields = append(fields, field{to: pathOf(to), Default: value})
	}
	slices.SortFunc(fields, func(a, b field) int { return slices.Compare(a.to, b.to) })
	for i := range max(len(fields), 1) - 1 { // what is within a path comes right behind it
		if a, b := fields[i].to, fields[i+1].to; len(a) <= len(b) && slices.Equal(a, b[:len(a)]) {
			return fmt.Errorf("%s is to be within %s: name the parts of that one by one", b, a)
		}
	}
	return nil
}

func convert(r *wasmill.Record, out *wasmill.Output) error {
	var record, result map[string]any
	if decode(r.Value, &record) != nil || record == nil {
		return errors.New("the value is no JSON object")
	}
	if result = map[string]any{}; keep {
		_ = decode(r.Value, &result) // apart from the record, which is still read from
		for _, p := range gone {
			p.remove(result)
		}
	}
	for _, f := range fields {
		if err := f.put(record, result); err != nil {
			return err
		}
	}
	text := bytes.NewBuffer(out.Buf)
	e := json.NewEncoder(text)
	e.SetEscapeHTML(false)
	if err := e.Encode(result); err != nil {
		return err
	}
	text.Truncate(text.Len() - 1) // Encode ends a line
	out.Buf = text.Bytes()
	r.Value = out.Take()
	out.Emit(r)
	return nil
}
