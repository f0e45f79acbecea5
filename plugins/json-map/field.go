package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
)

// field is one of the result. In the parameters it may be the path alone that it is from.
type field struct {
	to      path
	From    path // nil: nowhere, it is a constant
	As      string
	Default json.RawMessage
}

func (f *field) UnmarshalJSON(text []byte) error {
	if text[0] == '"' {
		return json.Unmarshal(text, &f.From)
	}
	type plain field // has no UnmarshalJSON
	if err := strict(text, (*plain)(f)); err != nil {
		return err
	}
	if f.From == nil {
		return errors.New("a field has no from")
	}
	if _, err := as("", f.As); err == errKind {
		return fmt.Errorf("as is %q, and none of string, number, integer and boolean", f.As)
	}
	return nil
}

// put puts what the field is of a record into a result.
func (f *field) put(record, result map[string]any) error {
	var value any
	var ok bool
	if f.From != nil {
		value, ok = f.From.get(record)
	}
	if value != nil {
		var err error
		if value, err = as(value, f.As); err != nil {
			return fmt.Errorf("%s: %w", f.From, err)
		}
	} else if f.Default != nil {
		value = f.Default
	} else if !ok {
		return nil
	}
	return f.to.put(result, value)
}

var errKind = errors.New("unknown kind")

// as converts a value, if nothing of it gets lost.
func as(value any, kind string) (any, error) {
	text, isText := value.(string)
	if !isText {
		b, _ := json.Marshal(value)
		text = string(b)
	}
	number, err := strconv.ParseFloat(text, 64)
	isNumber := err == nil && json.Valid([]byte(text)) // which knows no NaN
	switch kind {
	case "":
		return value, nil
	case "string":
		return text, nil
	case "number":
		if isNumber {
			return json.Number(text), nil
		}
	case "integer":
		if whole, err := strconv.ParseInt(text, 10, 64); err == nil && isNumber {
			return whole, nil
		}
		if isNumber && number == math.Trunc(number) && math.Abs(number) < 1<<53 {
			return int64(number), nil // 1.0, 5e3
		}
	case "boolean":
		if text == "true" || text == "1" || text == "false" || text == "0" {
			return text == "true" || text == "1", nil
		}
	default:
		return nil, errKind
	}
	return nil, fmt.Errorf("%.100q is no %s", text, kind)
}
