// Enrich-http asks an HTTP service about a field of each record, a JSON object, and adds what
// the service says to it. It shows requests, and what to do with their failures.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"

	wasmill "github.com/wasmill/wasmill/abi/sdk/go"
)

const description = `{
	"name": "enrich-http", "version": "1.0.0", "kind": "map", "wants": ["http"],
	"tags": ["unknown"],
	"params": {"type": "object", "additionalProperties": false, "required": ["url", "field", "as"], "properties": {
		"url": {"type": "string", "description": "what is asked, with the value of the field at its end"},
		"field": {"type": "string", "description": "member of the record whose value is looked up"},
		"as": {"type": "string", "description": "member that is added"}}}
}`

func init() {
	wasmill.Map(description, enrich)
	wasmill.Params(configure)
}

func main() {} // not called

var params struct{ URL, Field, As string }

func configure(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&params); err != nil {
		return err
	}
	if params.URL == "" || params.Field == "" || params.As == "" {
		return errors.New("url, field and as are needed")
	}
	return nil
}

func enrich(r *wasmill.Record, out *wasmill.Output) error {
	var record map[string]json.RawMessage
	if err := json.Unmarshal(r.Value, &record); err != nil || record == nil {
		return errors.New("the record is no JSON object")
	}
	var value string
	if json.Unmarshal(record[params.Field], &value) != nil {
		return fmt.Errorf("the record has no text %q", params.Field)
	}
	answer, err := wasmill.HTTP(&wasmill.Request{URL: params.URL + url.PathEscape(value)})
	switch {
	case err != nil:
		return fmt.Errorf("ask about %q: %w", value, err)
	case answer.Status == 404:
		out.EmitTag(r, "unknown")
		return nil
	case answer.Status != 200 || !json.Valid(answer.Body):
		return fmt.Errorf("ask about %q: the service answers %d %.100q", value, answer.Status, answer.Body)
	}
	record[params.As] = answer.Body
	text, err := json.Marshal(record)
	if err != nil {
		return err
	}
	r.Value = text
	out.Emit(r)
	return nil
}
