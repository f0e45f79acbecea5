package wasm

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/stream"
)

const failed = "fails: " // begins what a shelf test wants of a record that fails

// TestTheShelfOfPlugins gives a record to a plugin of the repository and looks at what comes.
func TestTheShelfOfPlugins(t *testing.T) {
	fields := func(names ...string) string {
		text, _ := json.Marshal(map[string][]string{"fields": names})
		return string(text)
	}
	for _, tt := range []struct{ name, plugin, params, in, want string }{
		{"mask-pii masks text", "mask-pii", `{}`, "bob@example.com paid by 4111 1111 1111 1111 from 203.0.113.9.", "*** paid by *** from ***."},
		{"mask-pii leaves what only looks like it", "mask-pii", `{}`, "v1.2.3.4 1.2.3.4.5 4111111111111112 a@b 2026-11-28", "v1.2.3.4 1.2.3.4.5 4111111111111112 a@b 2026-11-28"},
		{"mask-pii finds a card behind another number", "mask-pii", `{}`, "2026-11-28 5555-5555-5555-4444", "2026-11-28 ***"},
		{"mask-pii does what it is asked for", "mask-pii", `{"find":["ipv4"],"with":""}`, "<bob@example.com> 10.0.0.1", "<bob@example.com> "},
		{"mask-pii looks into the fields it is given", "mask-pii", fields("text", "card", "user"),
			`{"text": "call bob@example.com", "id": 4111111111111111, "card": 4111111111111111, "user": {"ips": ["1.2.3.4", 5], "card": 5555555555554444}}`,
			`{"text": "call ***", "id": 4111111111111111, "card": "***", "user": {"ips": ["***", 5], "card": "***"}}`},
		{"mask-pii knows strings of JSON", "mask-pii", fields("text"), `{"te\u0078t":"\"bob@example.com\" \\","n":1}`, `{"te\u0078t":"\"***\" \\","n":1}`},
		{"mask-pii fails what it cannot look into", "mask-pii", fields("text"), `{"text":"bob@example.com"`, failed + "the value is no JSON object"},
		{"mask-pii fails what is no object", "mask-pii", fields("text"), `["bob@example.com"]`, failed + "the value is no JSON object"},
		{"mask-pii fails what goes on behind the object", "mask-pii", fields("text"), `{} bob@example.com`, failed + "the value is no JSON object"},

		{"json-select keeps fields as they are written", "json-select", fields("c", "a"), ` {"a":1.0, "b" : {"a":[1,"}"]} , "c" : "q\"}\\" }`, `{"a":1.0,"c":"q\"}\\"}`},
		{"json-select keeps a field that is large", "json-select", fields("a"), `{"b":{},"a":{"b":[{"a":"]"}]}}`, `{"a":{"b":[{"a":"]"}]}}`},
		{"json-select keeps nothing", "json-select", fields("a"), `{"b":[]}`, `{}`},
		{"json-select knows escapes in names", "json-select", fields("\u00e4/b"), `{"\u00e4\/b":1,"äb":2}`, `{"\u00e4\/b":1}`},
		{"json-select knows a backslash from an escape", "json-select", fields(`a\b`), `{"a\b":1,"a\\b":2}`, `{"a\\b":2}`},
		{"json-select fails an object that does not end", "json-select", fields("a"), `{"a":1,"b":"x}`, failed + "the value is no JSON object"},
		{"json-select fails an object with more behind it", "json-select", fields("a"), `{"a":1} {`, failed + "the value is no JSON object"},
		{"json-select fails an array", "json-select", fields("a"), `["a",1]`, failed + "the value is no JSON object"},
		{"json-select fails nothing at all", "json-select", fields("a"), ``, failed + "the value is no JSON object"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tr := mustTransform(t, loaded(t, builtPlugin(t, tt.plugin)), Config{Vertex: "v", Params: []byte(tt.params)})
			// A record before it, so that nothing of one stays for the next.
			if got := answersTo(t, tr, `{"a":"a","text":"eve@example.com"}`, tt.in)[1]; got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// answersTo returns the one result of each value, or why it fails.
func answersTo(t *testing.T, tr *Transform, values ...string) []string {
	t.Helper()
	var in []abitest.Record
	for _, v := range values {
		in = append(in, abitest.Record{Value: v})
	}
	out := stream.Output{Batch: (&stream.BatchPool{}).New()}
	if err := tr.Call(t.Context(), batchOf(in), &out); err != nil {
		t.Fatal(err)
	}
	rs := recordsOf(out.Batch)
	var all []string
	for i := range values {
		if k := slices.IndexFunc(out.Failures, func(f stream.Failure) bool { return f.Input == i }); k >= 0 {
			all = append(all, failed+out.Failures[k].Reason)
			continue
		}
		if len(rs) == 0 {
			t.Fatalf("no result for %q", values[i])
		}
		all, rs = append(all, rs[0].Value), rs[1:]
	}
	return all
}

func TestTheShelfRefusesParameters(t *testing.T) {
	for _, tt := range []struct{ plugin, params, want string }{
		{"mask-pii", `{"find":["iban"]}`, "InvalidEnumTag"},
		{"mask-pii", `{"feilds":["a"]}`, "UnknownField"},
		{"mask-pii", `{"with":"\""}`, "with has a character that JSON escapes"},
		{"json-select", `{}`, "fields is missing"},
		{"json-select", `{"fields":[]}`, "fields is missing"},
		{"json-select", `{"fields":"a"}`, "fields is not an array of strings"},
		{"json-select", `{"fields":["a",1]}`, "fields is not an array of strings"},
		{"json-select", `{"feilds":["a"]}`, `unknown parameter "feilds"`},
		{"sessionize", `{"seconds":0}`, "seconds is not a whole number above 0"},
		{"sessionize", `{"seconds":"60"}`, "seconds is not a whole number above 0"},
		{"sessionize", `{"minutes":1}`, "unknown parameter minutes"},
		{"top-k", `{"k":0}`, "k is not a whole number from 1 to 1000"},
		{"top-k", `{"k":1001}`, "k is not a whole number from 1 to 1000"},
		{"top-k", `{"counters":10001}`, "counters is not a whole number from 1 to 10000"},
		{"top-k", `{"k":3,"counters":2}`, "counters is 2, and less than k, which is 3"},
		{"top-k", `{"field":1}`, "field is not a string"},
		{"top-k", `{"sum":1}`, "sum is not a string"},
		{"top-k", `{"by":"a"}`, "unknown parameter by"},
	} {
		t.Run(tt.plugin+" "+tt.params, func(t *testing.T) {
			_, err := loaded(t, builtPlugin(t, tt.plugin)).Transform(t.Context(), Config{Vertex: "v", Params: []byte(tt.params), Instances: 1})
			if stream.CodeOf(err) != stream.PluginParams || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// TestJSONSelectAgreesWithAParser selects of objects of all kinds what encoding/json selects.
func TestJSONSelectAgreesWithAParser(t *testing.T) {
	fields := []string{"a", "", "é\n", `"`, "long name"}
	params, err := json.Marshal(map[string]any{"fields": fields})
	if err != nil {
		t.Fatal(err)
	}
	tr := mustTransform(t, loaded(t, builtPlugin(t, "json-select")), Config{Vertex: "v", Params: params})
	random := rand.New(rand.NewPCG(1, 2))
	var texts []string
	for range 1000 {
		var text []byte
		if text, err = json.Marshal(anObject(random, 3)); err == nil && random.IntN(2) == 0 {
			var spaced []byte
			spaced, err = json.MarshalIndent(json.RawMessage(text), "\r", "\t")
			text = spaced
		}
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	for i, got := range answersTo(t, tr, texts...) {
		var all, kept map[string]any
		if err := json.Unmarshal([]byte(texts[i]), &all); err != nil {
			t.Fatal(err)
		}
		maps.DeleteFunc(all, func(name string, _ any) bool { return !slices.Contains(fields, name) })
		if err := json.Unmarshal([]byte(got), &kept); err != nil || !reflect.DeepEqual(all, kept) {
			t.Errorf("of %s it kept %s (%v)", texts[i], got, err)
		}
	}
}

// anObject makes an object of JSON whose values go so deep.
func anObject(r *rand.Rand, depth int) map[string]any {
	names := []string{"a", "", "é\n", `"`, "b", "long name", "\u2028", "[", `\`, "fields"}
	object := map[string]any{}
	for range r.IntN(6) {
		name := names[r.IntN(len(names))]
		switch kind := r.IntN(6); {
		case kind == 0 && depth > 0:
			object[name] = anObject(r, depth-1)
		case kind == 1 && depth > 0:
			object[name] = []any{anObject(r, depth-1), name, 1.5e-7, []any{}}
		case kind == 2:
			object[name] = nil
		case kind == 3:
			object[name] = r.IntN(2) == 0
		case kind == 4:
			object[name] = r.NormFloat64()
		default:
			object[name] = names[r.IntN(len(names))]
		}
	}
	return object
}

// TestThePatternsOfMaskPii runs the tests that stand in the source, in its own language.
func TestThePatternsOfMaskPii(t *testing.T) {
	source, err := filepath.Abs(filepath.Join("..", "..", "plugins", "mask-pii", "patterns.zig"))
	if err != nil {
		t.Fatal(err)
	}
	c := zigTest(t, source)
	if text, err := c.CombinedOutput(); err != nil || !strings.Contains(string(text), "All 3 tests passed") {
		t.Errorf("%v: %s", err, text)
	}
}

// TestTheShelfIsShort holds what plugins/README.md says of the standard ones: they are to be
// read in one go.
func TestTheShelfIsShort(t *testing.T) {
	for _, name := range []string{"json-select", "json-map", "dedupe", "sessionize", "mask-pii", "enrich-http", "top-k"} {
		var sources []string
		for _, pattern := range []string{"*.go", "*.rs", "*.zig", "*.ts", "*.c"} {
			found, err := filepath.Glob(filepath.Join("..", "..", "plugins", name, pattern))
			if err != nil {
				t.Fatal(err)
			}
			sources = append(sources, found...)
		}
		if len(sources) == 0 {
			t.Errorf("%s has no source", name)
		}
		for _, source := range sources {
			text, err := os.ReadFile(source)
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(text), "\n"); n >= 100 {
				t.Errorf("%s has %d lines, and not under 100", source, n)
			}
		}
	}
}
