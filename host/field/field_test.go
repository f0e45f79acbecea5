package field

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/stream"
)

func record(key, value string, headers ...string) *stream.Batch {
	var block []byte
	for i := 0; i < len(headers); i += 2 {
		block = abi.AppendHeader(block, headers[i], []byte(headers[i+1]))
	}
	b := &stream.Batch{}
	b.Append(0, []byte("other"), []byte("other"), nil)
	b.Append(0, []byte(key), []byte(value), block)
	return b
}

func TestFieldsAreFound(t *testing.T) {
	tests := []struct {
		name string
		spec Spec
		b    *stream.Batch
		want string
		none bool
	}{
		{"a key", Spec{Key: true}, record("k", ""), "k", false},
		{"no key", Spec{Key: true}, record("", "v"), "", true},
		{"the first header of a name", Spec{Header: "id"}, record("", "", "i", "0", "id", "1", "id", "2"), "1", false},
		{"an empty header", Spec{Header: "id"}, record("", "", "id", ""), "", false},
		{"no such header", Spec{Header: "id"}, record("", "", "ID", "1"), "", true},
		{"a string", Spec{JSON: "a"}, record("", `{"a":"x y"}`), "x y", false},
		{"an empty string", Spec{JSON: "a"}, record("", `{"a":""}`), "", false},
		{"a number as it is written", Spec{JSON: "a"}, record("", `{"a": 12345678901234567890.10 }`), "12345678901234567890.10", false},
		{"true", Spec{JSON: "a"}, record("", `{"a":true}`), "true", false},
		{"null is none", Spec{JSON: "a"}, record("", `{"a":null}`), "", true},
		{"an object as it is written", Spec{JSON: "a"}, record("", `{"a": {"b": [1, 2]} }`), `{"b": [1, 2]}`, false},
		{"a member of a member", Spec{JSON: "a.b"}, record("", "\n\t {\"a\":{\"b\":7}}"), "7", false},
		{"an element", Spec{JSON: "a.1.b"}, record("", `{"a":[0,{"b":"x"}]}`), "x", false},
		{"an element of a value that is an array", Spec{JSON: "0"}, record("", `["x"]`), "x", false},
		{"a member whose name is a number", Spec{JSON: "a.1"}, record("", `{"a":{"1":"x"}}`), "x", false},
		{"the first of two", Spec{JSON: "a"}, record("", `{"a":1,"a":2}`), "1", false},
		{"only in another object", Spec{JSON: "a"}, record("", `{"b":{"a":1}}`), "", true},
		{"escapes", Spec{JSON: "a"}, record("", `{"a":"\"\u00e9\ud83d\ude00\n\\"}`), "\"é😀\n\\", false},
		{"a wrong escape", Spec{JSON: "a"}, record("", `{"a":"x\qy"}`), "", true},
		{"a line end in a string with escapes", Spec{JSON: "a"}, record("", "{\"a\":\"x\\ty\nz\"}"), "", true},
		{"escapes in the name", Spec{JSON: "é"}, record("", `{"\u00e9":1}`), "1", false},
		{"a name with a dot", Spec{JSON: `a\.b`}, record("", `{"a":{"b":1},"a.b":2}`), "2", false},
		{"@timestamp", Spec{JSON: "@timestamp"}, record("", `{"@timestamp":1}`), "1", false},
		{"a name that modifies in gjson", Spec{JSON: "a.@keys"}, record("", `{"a":{"b":1}}`), "", true},
		{"the same as a member", Spec{JSON: "@this.@keys:1"}, record("", `{"@this":{"@keys:1":1}}`), "1", false},
		{"a name that counts in gjson", Spec{JSON: "a.#"}, record("", `{"a":[1,2]}`), "", true},
		{"a name that is a wildcard in gjson", Spec{JSON: "a*"}, record("", `{"ab":1,"a*":2}`), "2", false},
		{"a name that is a pipe in gjson", Spec{JSON: "a|b"}, record("", `{"a":{"b":1},"a|b":2}`), "2", false},
		{"a name that is a query in gjson", Spec{JSON: `a.#(b==1)`}, record("", `{"a":[{"b":1}]}`), "", true},
		{"a name that is a literal in gjson", Spec{JSON: `!"x"`}, record("", `{"a":1}`), "", true},
		{"a name that selects in gjson", Spec{JSON: `{a,b}`}, record("", `{"a":1,"b":2}`), "", true},
		{"text before the object", Spec{JSON: "a"}, record("", `x {"a":1}`), "", true},
		{"a string value", Spec{JSON: "a"}, record("", `"{\"a\":1}"`), "", true},
		{"an empty value", Spec{JSON: "a"}, record("", ``), "", true},
		{"an object that is cut", Spec{JSON: "a"}, record("", `{"a":"x`), "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, err := Parse(tt.spec)
			if err != nil {
				t.Fatal(err)
			}
			got, ok := e.Bytes(tt.b, 1)
			if ok == tt.none || string(got) != tt.want {
				t.Errorf("found %q, %v, want %q, %v", got, ok, tt.want, !tt.none)
			}
		})
	}
}

func TestFieldsNamedWronglyAreRefused(t *testing.T) {
	for name, s := range map[string]Spec{
		"nothing": {}, "two": {JSON: "a", Key: true}, "three": {JSON: "a", Header: "b", Key: true},
		"a dot first": {JSON: ".a"}, "a dot last": {JSON: "a."}, "two dots": {JSON: "a..b"}, "a dot": {JSON: "."},
		"a backslash last": {JSON: `a\`},
	} {
		_, err := Parse(s)
		var e *stream.Error
		if !errors.As(err, &e) || e.Code != stream.ConfigValue || e.Fix == "" {
			t.Errorf("%s: got %v", name, err)
		}
		if _, err := ParseTime(s, ""); err == nil {
			t.Errorf("%s: taken for a time", name)
		}
	}
}

// FuzzField compares with encoding/json, for documents that it reads.
func FuzzField(f *testing.F) {
	for _, doc := range []string{`{"a":{"b":[1,"x",null]}}`, `{"a":"\u0041\n","a*":2,"@this":3}`, `[[{"a":1e5}],[]]`, `{"":{"":1},"a.b":true}`, "x{", `{"a":"\\"}`} {
		for _, path := range []string{"a", "a.b.1", "0.0.a", `a\.b`, "a*", "@this", `a.#`, `\@`, "a.|b", `a\\.b`} {
			f.Add([]byte(doc), path)
		}
	}
	f.Fuzz(func(t *testing.T, doc []byte, path string) {
		e, err := Parse(Spec{JSON: path})
		if err != nil {
			return
		}
		b := &stream.Batch{}
		b.Append(0, nil, doc, nil)
		got, ok := e.Bytes(b, 0)
		var any any
		d := json.NewDecoder(bytes.NewReader(doc))
		d.UseNumber()
		if !utf8.Valid(doc) || !utf8.ValidString(path) || !json.Valid(doc) || d.Decode(&any) != nil || repeats(doc) {
			return
		}
		want, found := walk(any, names(path))
		switch w := want.(type) {
		case string:
			found = found && string(got) == w
		case json.Number:
			found = found && string(got) == w.String()
		case bool:
			found = found && string(got) == strconv.FormatBool(w)
		case nil:
			if ok {
				t.Fatalf("found %q at %q of %s, where nothing is", got, path, doc)
			}
			return
		default:
			found = found && json.Valid(got)
		}
		if !ok || !found {
			t.Fatalf("found %q, %v at %q of %s, want %v", got, ok, path, doc, want)
		}
	})
}

// names are those of a path.
func names(path string) []string {
	out, escaped := []string{""}, false
	for i := range len(path) {
		switch c := path[i]; {
		case !escaped && c == '\\':
			escaped = true
			continue
		case !escaped && c == '.':
			out = append(out, "")
		default:
			out[len(out)-1] += path[i : i+1]
		}
		escaped = false
	}
	return out
}

func walk(v any, path []string) (any, bool) {
	for _, name := range path {
		switch c := v.(type) {
		case map[string]any:
			v = c[name]
		case []any:
			n, err := strconv.Atoi(name)
			if err != nil || n < 0 || n >= len(c) || strings.HasPrefix(name, "+") || strings.HasPrefix(name, "-") {
				return nil, false
			}
			v = c[n]
		default:
			return nil, false
		}
	}
	return v, v != nil
}

// repeats says whether an object of a document has two members of one name, of
// which encoding/json takes the last.
func repeats(doc []byte) bool {
	d := json.NewDecoder(bytes.NewReader(doc))
	type level struct {
		seen map[string]bool // nil in an array
		name bool            // a name comes next
	}
	var stack []level
	for {
		tok, err := d.Token()
		if err != nil {
			return false
		}
		if n := len(stack); n > 0 && stack[n-1].seen != nil {
			if s, ok := tok.(string); ok && stack[n-1].name {
				if stack[n-1].seen[s] {
					return true
				}
				stack[n-1].seen[s], stack[n-1].name = true, false
				continue
			}
			stack[n-1].name = true
		}
		switch tok {
		case json.Delim('{'):
			stack = append(stack, level{map[string]bool{}, true})
		case json.Delim('['):
			stack = append(stack, level{})
		case json.Delim('}'), json.Delim(']'):
			stack = stack[:len(stack)-1]
		}
	}
}

// BenchmarkField is one field of a record.
func BenchmarkField(b *testing.B) {
	value := `{"auction":1007,"bidder":2002,"price":1234567,"channel":"Google","url":"https://www.nexmark.com/item.htm?query=1","dateTime":"2026-01-02T15:04:05.678Z","esc":"a\nb","extra":"xxxxxxxxxxxxxxxxxxxxxx"}`
	batch := record("key", value, "trace", "1", "id", "2")
	for name, s := range map[string]Spec{"key": {Key: true}, "header": {Header: "id"}, "json string": {JSON: "dateTime"}, "json number": {JSON: "price"}, "json escapes": {JSON: "esc"}} {
		b.Run(name, func(b *testing.B) {
			e, err := Parse(s)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for range b.N {
				if _, ok := e.Bytes(batch, 1); !ok {
					b.Fatal("none")
				}
			}
		})
	}
}
