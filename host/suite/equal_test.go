package suite

import (
	"strings"
	"testing"
)

func TestJSONIsComparedByWhatItMeans(t *testing.T) {
	object := func(k string, v any) map[string]any { return map[string]any{k: v} }
	tests := []struct {
		name string
		want any
		got  string
		less bool
		diff string // empty = none
	}{
		{name: "order of keys and white space do not count", want: map[string]any{"a": 1, "b": "x"}, got: ` {"b":"x", "a":1 } `},
		{name: "a key too many", want: object("a", 1), got: `{"a":1,"b":2}`, diff: "b: expected nothing, actual 2"},
		{name: "a key too many where a part is enough", want: object("a", 1), got: `{"a":1,"b":2}`, less: true},
		{name: "a part inside of a part", want: object("a", object("b", 1)), got: `{"a":{"b":1,"c":2},"d":3}`, less: true},
		{name: "a key that is missing", want: object("a", nil), got: `{}`, less: true, diff: "a: expected null, actual nothing"},
		{name: "null is a value", want: object("a", nil), got: `{"a":null}`},
		{name: "numbers are what they are worth", want: []any{1, 2.5, -3}, got: `[1.0, 25e-1, -3]`},
		{name: "large numbers are exact", want: uint64(18446744073709551615), got: `18446744073709551614`, diff: "value: expected 18446744073709551615, actual 18446744073709551614"},
		{name: "a number is no text", want: "1", got: `1`, diff: `value: expected "1", actual 1`},
		{name: "a text is no number", want: 1, got: `"1"`, diff: `value: expected 1, actual "1"`},
		{name: "a list that is shorter, also where a part is enough", want: []any{1, 2}, got: `[1]`, less: true, diff: "[1]: expected 2, actual nothing"},
		{name: "a list that is longer, also where a part is enough", want: []any{1}, got: `[1,2]`, less: true, diff: "[1]: expected nothing, actual 2"},
		{name: "an object is no list", want: object("a", 1), got: `[1]`, diff: `value: expected {"a":1}, actual [1]`},
		{name: "no JSON", want: object("a", 1), got: `{a}`, diff: "value: {a} is not JSON"},
		{name: "JSON and more", want: 1, got: `1 2`, diff: "value: 1 2 is not JSON"},
		{name: "a number out of all bounds", want: 1, got: `1e999999999`, diff: "value: expected 1, actual 1e999999999"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := strings.Join(differencesJSON(test.want, []byte(test.got), test.less), "; "); got != test.diff {
				t.Errorf("got %q, want %q", got, test.diff)
			}
		})
	}
}
