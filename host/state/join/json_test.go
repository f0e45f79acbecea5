package join

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wasmill/wasmill/host/stream"
)

// FuzzValuesAreJSON compares with what encoding/json makes of a value.
func FuzzValuesAreJSON(f *testing.F) {
	for _, s := range []string{
		"", " ", "1", " 1 ", "-0", "01", "1.", "1.5e+3", "1e", "-", ".5", "true", "tru", "null", "nulls", `"a"`, `"a`, `"\u00e4\n"`, `"\u00g0"`, `"\x"`, "\"\n\"", "\"\xff\"",
		"{}", "{ }", "[ ]", `{"a": 1, "b" : [1, 2 ,{"c":null}] }`, `{"a":1,}`, "[1,]", "[1 2]", "{1:2}", `{"a"}`, "[", "{", `{"a":`, "\xff", "é\t\"\\\x01", strings.Repeat("[", 300) + strings.Repeat("]", 300),
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		got, inBase64 := appendText([]byte("before"), value)
		got, ok := bytes.CutPrefix(got, []byte("before"))
		if !ok || !json.Valid(got) || !utf8.Valid(got) || bytes.ContainsAny(got, "\n\r") {
			t.Fatalf("%q became %q", value, got)
		}
		var compact bytes.Buffer
		switch err := json.Compact(&compact, value); {
		case !utf8.Valid(value):
			var s string
			if err := json.Unmarshal(got, &s); err != nil || !inBase64 || s != base64.StdEncoding.EncodeToString(value) {
				t.Fatalf("%q became %s, in base64: %v", value, got, inBase64)
			}
		case err == nil:
			if inBase64 || !bytes.Equal(got, compact.Bytes()) {
				t.Fatalf("%q became %s, want %s", value, got, compact.Bytes())
			}
		default:
			var s string
			if err := json.Unmarshal(got, &s); err != nil || inBase64 || s != string(value) {
				t.Fatalf("%q became %s: %v", value, got, err)
			}
		}
	})
}

func TestValuesThatAreNestedTooDeepAreText(t *testing.T) {
	for depth, want := range map[int]byte{maxDepth: '[', maxDepth + 1: '"'} {
		value := strings.Repeat("[", depth) + strings.Repeat("]", depth)
		if got, _ := appendText(nil, []byte(value)); got[0] != want {
			t.Errorf("%d deep: it begins with %c", depth, got[0])
		}
	}
}

func TestResults(t *testing.T) {
	w := newWorld(t, fixed(true))
	b := w.batch()
	w.append(b, left, "a", 1e9, `{"n": 1}`)
	w.append(b, right, "a", 2e9, "some \"text\"")
	w.append(b, left, "a", 3e9, "\xff")
	w.append(b, left, "\xff", 4e9, "")
	var out stream.Output
	out.Batch = &stream.Batch{}
	if err := w.In(t.Context(), b, &out); err != nil {
		t.Fatal(err)
	}
	for w.now = stream.EndOfTime; ; {
		if _, due := w.Due(0, w.Groups()); !due {
			break
		}
		if err := w.Advance(t.Context(), 0, w.Groups(), w.now, 0, &stream.Batch{}, &out); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for i := range out.Records {
		got = append(got, fmt.Sprintf("%q %s %d", out.Key(i), out.Value(i), out.Records[i].Time/1e9))
	}
	const times = `"start":"1970-01-01T00:00:00Z","end":"1970-01-01T00:01:00Z"}`
	want := []string{
		`"a" {"key":"a","left":{"n":1},"right":"some \"text\"",` + times + " 2",
		`"a" {"key":"a","leftBase64":"/w==","right":"some \"text\"",` + times + " 3",
		`"\xff" {"keyBase64":"/w==","left":"","right":null,` + times + " 59",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
