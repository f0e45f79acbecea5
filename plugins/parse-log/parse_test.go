package main

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	wasmill "github.com/wasmill/wasmill/abi/sdk/go"
)

// run gives one line to the plugin.
func run(t *testing.T, text string) wasmill.Result {
	t.Helper()
	var out wasmill.Output
	if err := handle(&wasmill.Record{Time: -1, Key: []byte("k"), Value: []byte(text)}, &out); err != nil {
		t.Fatal(err)
	}
	if len(out.Results) != 1 || string(out.Results[0].Key) != "k" {
		t.Fatalf("%q gave %v, want one result with key k", text, out.Results)
	}
	return out.Results[0]
}

func TestLines(t *testing.T) {
	const head, tail = `192.0.2.1 - ann [10/Oct/2000:13:55:36 -0700] `, ` 200 2326 "-" "curl/8.5.0"`
	const parsed = `{"remote":"192.0.2.1","user":"ann","time":"2000-10-10T13:55:36-07:00",`
	const rest = `"status":200,"bytes":2326,"referer":"-","agent":"curl/8.5.0"}`
	for _, test := range []struct{ name, in, tag, want string }{
		{"a line is cut into its fields", head + `"GET /a?b HTTP/1.1"` + tail, "ok",
			parsed + `"method":"GET","path":"/a?b","protocol":"HTTP/1.1",` + rest},
		{"a request without a protocol is HTTP/0.9", head + `"GET /a"` + tail, "ok",
			parsed + `"method":"GET","path":"/a","protocol":"",` + rest},
		{"a request of something else is all path", head + `"\x16\x03\x01"` + tail, "ok",
			parsed + `"method":"","path":"\u0016\u0003\u0001","protocol":"",` + rest},
		{"a path may contain spaces", head + `"GET /a b HTTP/2.0"` + tail, "ok",
			parsed + `"method":"GET","path":"/a b","protocol":"HTTP/2.0",` + rest},
		{"escapes are undone and made again", head + `"GET /\"\\\t\q\x7b HTTP/1.1"` + tail, "ok",
			parsed + `"method":"GET","path":"/\"\\\t\\q{","protocol":"HTTP/1.1",` + rest},
		{"UTF-8 stays, escaped or not", head + `"GET /é\xe2\x82\xac HTTP/1.1"` + tail, "ok",
			parsed + `"method":"GET","path":"/é€","protocol":"HTTP/1.1",` + rest},
		{"other bytes are replaced", head + "\"GET /\xff\\xc3( HTTP/1.1\"" + tail, "ok",
			parsed + `"method":"GET","path":"/\ufffd\ufffd(","protocol":"HTTP/1.1",` + rest},
		{"status 404 without bytes is an error", `::1 - - [29/Feb/2024:00:00:00 +0000] "HEAD / HTTP/1.1" 404 - "" ""`, "error",
			`{"remote":"::1","user":"-","time":"2024-02-29T00:00:00Z","method":"HEAD","path":"/","protocol":"HTTP/1.1","status":404,"bytes":null,"referer":"","agent":""}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if r := run(t, test.in); string(r.Value) != test.want || r.Tag != test.tag {
				t.Errorf("got  %s %s\nwant %s %s", r.Tag, r.Value, test.tag, test.want)
			}
		})
	}
}

func TestMalformedLinesLeaveUnchanged(t *testing.T) {
	const good = `192.0.2.1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.1" 200 2326 "-" "curl"`
	replace := func(old, new string) string { return strings.Replace(good, old, new, 1) }
	lines := []string{
		good + " ", " " + good, replace(" - - ", " -  "), replace("Oct", "oct"), replace("10/Oct", "31/Nov"),
		replace("10/Oct/2000", "29/Feb/1900"), replace("13:", "24:"), replace("-0700", "-2400"), replace("-0700", "~0700"),
		replace("] ", "]"), replace("200", "099"), replace("200", "600"), replace("200", "20"), replace("2326", "02"),
		replace("2326", ""), replace("2326", "1234567890123456789"), replace(`curl"`, `curl`), replace(`curl"`, `curl\"`),
		replace("2000:", "1677:"), replace("2000:", "2262:"),
	}
	for i := range good {
		lines = append(lines, good[:i])
	}
	for _, text := range lines {
		if r := run(t, text); string(r.Value) != text || r.Tag != "malformed" || r.Time != -1 {
			t.Errorf("%q is not malformed but %s %s", text, r.Tag, r.Value)
		}
	}
}

func TestCommonFormat(t *testing.T) {
	defer func() { combined = true }()
	if err := configure([]byte(`{"format":"common"}`)); err != nil {
		t.Fatal(err)
	}
	const want = `{"remote":"a","user":"c","time":"2000-10-10T13:55:36-07:00","method":"GET","path":"/","protocol":"","status":301,"bytes":0}`
	if r := run(t, `a b c [10/Oct/2000:13:55:36 -0700] "GET /" 301 0`); string(r.Value) != want || r.Tag != "ok" {
		t.Errorf("got %s %s", r.Tag, r.Value)
	}
	if err := configure([]byte(`{"format":"nginx"}`)); err == nil {
		t.Error("an unknown format is accepted")
	}
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	r := wasmill.Record{Value: []byte(`192.0.2.1 - - [10/Oct/2000:13:55:36 -0700] "GET /é HTTP/1.1" 200 2326 "\"" "curl"`)}
	out := wasmill.Output{Buf: make([]byte, 0, 1<<20), Results: make([]wasmill.Result, 0, 1<<10)}
	if n := testing.AllocsPerRun(100, func() { in := r; handle(&in, &out) }); n > 1 { // `in` escapes
		t.Errorf("%v allocations per record", n)
	}
}

// The example's expected files were made by a program that shares nothing with this one.
func TestExampleAccessLog(t *testing.T) {
	const example = "../../examples/access-log/"
	log, err := os.ReadFile(example + "access.log")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]*bytes.Buffer{"ok": {}, "error": {}, "malformed": {}}
	for text := range strings.Lines(string(log)) {
		r := run(t, strings.TrimSuffix(text, "\n"))
		got[r.Tag].Write(append(r.Value, '\n'))
	}
	for tag, file := range map[string]string{"ok": "ok.ndjson", "error": "errors.ndjson", "malformed": "malformed.log"} {
		want, err := os.ReadFile(example + "expected/" + file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got[tag].Bytes(), want) {
			t.Errorf("%s: got %d bytes that differ from the %d in expected/", file, got[tag].Len(), len(want))
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`192.0.2.1 - ann [10/Oct/2000:13:55:36 -0700] "GET /\"a\x22\é HTTP/1.1" 200 2326 "-" "curl/8.5.0"`))
	f.Add([]byte(`:: - - [01/Jan/1970:00:00:00 -2359] "-" 599 - "\\" ""`))
	f.Add([]byte("\xff \xc3 \xf0 [29/Feb/2000:23:59:59 +0001] \"A \xf0\\x9f\\x98\\x80\x80\" 100 0 \"\\xED\\xA0\\x80\" \"\u2028\x00\x7f\""))
	f.Fuzz(func(t *testing.T, text []byte) {
		r := run(t, string(text))
		want, when, ok := oracle(string(text))
		if !ok {
			if r.Tag != "malformed" || !bytes.Equal(r.Value, text) {
				t.Fatalf("%q is malformed, got %s %s", text, r.Tag, r.Value)
			}
			return
		}
		var got map[string]any
		if err := json.Unmarshal(r.Value, &got); err != nil {
			t.Fatalf("%q gave %s: %v", text, r.Value, err)
		}
		if !reflect.DeepEqual(got, want) || r.Time != when {
			t.Fatalf("%q\ngot  %v at %d\nwant %v at %d", text, got, r.Time, want, when)
		}
		if isError := want["status"].(float64) >= 400; isError != (r.Tag == "error") {
			t.Fatalf("%q has tag %s", text, r.Tag)
		}
	})
}

var (
	linePattern = regexp.MustCompile(`(?s)\A([^ ]+) [^ ]+ ([^ ]+) ` +
		`\[(\d\d/(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)/\d{4}:\d\d:\d\d:\d\d [+-](?:[01]\d|2[0-3])[0-5]\d)\] ` +
		`"((?:[^"\\]|\\.)*)" ([1-5]\d\d) (-|0|[1-9]\d{0,17}) "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"\z`)
	requestPattern = regexp.MustCompile(`(?s)\A([A-Z]+) (.*?)(?: (HTTP/[^ ]*))?\z`)
	escapePattern  = regexp.MustCompile(`\\(?:["\\bnrtv]|x[0-9a-fA-F]{2})`)
)

// oracle says by other means what a line in the combined format means.
func oracle(text string) (fields map[string]any, nanoseconds int64, ok bool) {
	m := linePattern.FindStringSubmatch(text)
	if m == nil {
		return nil, 0, false
	}
	when, err := time.Parse("02/Jan/2006:15:04:05 -0700", m[3])
	if err != nil || when.Year() < 1678 || when.Year() > 2261 {
		return nil, 0, false
	}
	request := requestPattern.FindStringSubmatch(m[4])
	if request == nil {
		request = []string{"", "", m[4], ""}
	}
	plain := func(s string) string {
		s = escapePattern.ReplaceAllStringFunc(s, func(e string) string {
			if e[1] == '"' {
				return `"`
			}
			c, err := strconv.Unquote(`"` + e + `"`)
			if err != nil {
				panic(err)
			}
			return c
		})
		return string([]rune(s)) // replaces what is not UTF-8
	}
	status, _ := strconv.Atoi(m[5])
	fields = map[string]any{
		"remote": plain(m[1]), "user": plain(m[2]), "time": when.Format(time.RFC3339),
		"method": request[1], "path": plain(request[2]), "protocol": plain(request[3]),
		"status": float64(status), "bytes": nil, "referer": plain(m[7]), "agent": plain(m[8]),
	}
	if m[6] != "-" {
		fields["bytes"], _ = strconv.ParseFloat(m[6], 64)
	}
	return fields, when.UnixNano(), true
}
