package main

import (
	"strings"
	"testing"

	wasmill "github.com/wasmill/wasmill/abi/sdk/go"
)

// mapped gives one record to the plugin, and returns its result or why it fails.
func mapped(t *testing.T, params, value string) string {
	t.Helper()
	if err := configure([]byte(params)); err != nil {
		t.Fatal(err)
	}
	var out wasmill.Output
	if err := convert(&wasmill.Record{Key: []byte("k"), Value: []byte(value)}, &out); err != nil {
		return "fails: " + err.Error()
	}
	if len(out.Results) != 1 || string(out.Results[0].Key) != "k" {
		t.Fatalf("%v, want one result with key k", out.Results)
	}
	return string(out.Results[0].Value)
}

func TestFieldsAreMapped(t *testing.T) {
	for _, tt := range []struct{ name, params, in, want string }{
		{"a field is renamed, others go", `{"fields":{"b":"a"}}`, `{"a":1.50,"c":2}`, `{"b":1.50}`},
		{"a field stays if it is named", `{"fields":{"a":"a"}}`, `{"a":"<ü\u00fc>"}`, `{"a":"<üü>"}`},
		{"paths go in and out", `{"fields":{"x.y":"a.b","x.z":"c.1.d"}}`, `{"a":{"b":1},"c":[0,{"d":2}]}`, `{"x":{"y":1,"z":2}}`},
		{"a dot may be part of a name", `{"fields":{"http\\.method":"a\\.b"}}`, `{"a.b":1,"a":{"b":2}}`, `{"http.method":1}`},
		{"one value goes to two places", `{"fields":{"b":"a","c":"a.x"}}`, `{"a":{"x":1}}`, `{"b":{"x":1},"c":1}`},
		{"nothing is left", `{}`, `{"a":1}`, `{}`},
		{"what is missing is left out", `{"fields":{"b":"a","c":"d.e","f":"g.1","h":"g.x"}}`, `{"d":1,"g":[0]}`, `{}`},
		{"null stays", `{"fields":{"b":{"from":"a","as":"integer"}}}`, `{"a":null}`, `{"b":null}`},
		{"a default is for what is missing", `{"fields":{"b":{"from":"a","default":[1]}}}`, `{}`, `{"b":[1]}`},
		{"a default is for null", `{"fields":{"b":{"from":"a","default":"x"}}}`, `{"a":null}`, `{"b":"x"}`},
		{"constants are added", `{"constants":{"a.b":{"c":null},"d":"web"},"fields":{"a.x":"x"}}`, `{"x":1}`, `{"a":{"b":{"c":null},"x":1},"d":"web"}`},
		{"the rest is kept, but for what was taken", `{"keep":true,"fields":{"b":"a","n.o":"n.m"}}`, `{"a":1,"n":{"m":2,"l":3},"z":[1]}`, `{"b":1,"n":{"l":3,"o":2},"z":[1]}`},
		{"names are exchanged", `{"keep":true,"fields":{"a":"b","b":"a"}}`, `{"a":1,"b":2}`, `{"a":2,"b":1}`},
		{"what is taken from twice is whole", `{"keep":true,"fields":{"c":"a","d":"a.x"}}`, `{"a":{"x":1,"y":2}}`, `{"c":{"x":1,"y":2},"d":1}`},
		{"what is to go goes", `{"keep":true,"drop":["a.b","c","x.y","e.0"]}`, `{"a":{"b":1,"d":2},"c":3,"e":[4]}`, `{"a":{"d":2},"e":[4]}`},
		{"an element stays where it is", `{"keep":true,"fields":{"b":"a.0"}}`, `{"a":[1,2]}`, `{"a":[1,2],"b":1}`},
		{"a place within what is kept has to be an object", `{"keep":true,"constants":{"a.b":1}}`, `{"a":5}`, "fails: a is kept, and no object for a.b: drop it, or name another place"},
		{"null makes room", `{"keep":true,"constants":{"a.b":1}}`, `{"a":null}`, `{"a":{"b":1}}`},
		{"an array is no record", `{}`, `[1]`, "fails: the value is no JSON object"},
		{"null is no record", `{}`, `null`, "fails: the value is no JSON object"},
		{"two objects are no record", `{}`, `{} {}`, "fails: the value is no JSON object"},
		{"nothing is no record", `{}`, ``, "fails: the value is no JSON object"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := mapped(t, tt.params, tt.in); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestValuesAreConverted(t *testing.T) {
	for _, tt := range []struct{ in, as, want string }{
		{`"a"`, "string", `"a"`}, {`1.50`, "string", `"1.50"`}, {`true`, "string", `"true"`}, {`{"a":[1]}`, "string", `"{\"a\":[1]}"`},
		{`"1.50"`, "number", `1.50`}, {`-2e3`, "number", `-2e3`}, {`12345678901234567890`, "number", `12345678901234567890`},
		{`"7"`, "integer", `7`}, {`9007199254740993`, "integer", `9007199254740993`}, {`"-3.0"`, "integer", `-3`}, {`5e3`, "integer", `5000`},
		{`"true"`, "boolean", `true`}, {`0`, "boolean", `false`}, {`"1"`, "boolean", `true`}, {`false`, "boolean", `false`},
		{`"x"`, "number", ""}, {`"NaN"`, "number", ""}, {`"0x10"`, "number", ""}, {`"007"`, "number", ""}, {`""`, "number", ""}, {`" 1"`, "number", ""}, {`true`, "number", ""}, {`[1]`, "number", ""},
		{`1.5`, "integer", ""}, {`1e300`, "integer", ""}, {`"+7"`, "integer", ""}, {`""`, "integer", ""},
		{`2`, "boolean", ""}, {`"yes"`, "boolean", ""}, {`{}`, "boolean", ""},
	} {
		t.Run(tt.in+" as "+tt.as, func(t *testing.T) {
			got := mapped(t, `{"fields":{"b":{"from":"a","as":"`+tt.as+`"}}}`, `{"a":`+tt.in+`}`)
			if tt.want != "" && got != `{"b":`+tt.want+`}` {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if tt.want == "" && (!strings.HasPrefix(got, "fails: a: ") || !strings.HasSuffix(got, " is no "+tt.as)) {
				t.Errorf("got %s", got)
			}
		})
	}
}

func TestParametersThatMakeNoSense(t *testing.T) {
	for _, tt := range []struct{ params, want string }{
		{`{"field":{}}`, `unknown field "field"`},
		{`{"fields":{"a":{"from":"b","to":"c"}}}`, `unknown field "to"`},
		{`{"fields":{"a":{}}}`, "a field has no from"},
		{`{"fields":{"a":7}}`, "cannot unmarshal number"},
		{`{"fields":{"a":{"from":"b","as":"int"}}}`, `as is "int", and none of string, number, integer and boolean`},
		{`{"drop":["a"]}`, "drop is for keep: true"},
		{`{"fields":{"a":"x","a!":"y"},"constants":{"a.b.c":1}}`, "a.b.c is to be within a: name the parts of that one by one"},
		{`{"fields":{"a":"x"},"constants":{"a":1}}`, "a is to be within a"},
	} {
		t.Run(tt.params, func(t *testing.T) {
			if err := configure([]byte(tt.params)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
