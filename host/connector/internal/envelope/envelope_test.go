package envelope

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/stream"
)

func line(at int64, key, value string, headers ...string) string {
	var b stream.Batch
	var block []byte
	for i := 0; i < len(headers); i += 2 {
		block = abi.AppendHeader(block, headers[i], []byte(headers[i+1]))
	}
	b.Append(at, []byte(key), []byte(value), block)
	return string(Append([]byte("> "), &b, 0))
}

func TestLinesHaveAllOfARecord(t *testing.T) {
	for want, got := range map[string]string{
		`> {"time":"1970-01-01T00:00:00Z","value":""}`:                                     line(0, "", ""),
		`> {"time":"1970-01-01T00:00:01.5Z","key":"k","value":"a\n\"<b>\""}`:               line(15e8, "k", "a\n\"<b>\""),
		`> {"time":"1970-01-01T00:00:00Z","key_base64":"/w==","value_base64":"gA=="}`:      line(0, "\xff", "\x80"),
		`> {"time":"1970-01-01T00:00:00Z","value":"v","headers":{"a":"2 � x","b":"last"}}`: line(0, "", "v", "b", "first", "a", "2 \xff x", "b", "last"),
		`> {"time":"2262-04-11T23:47:16.854775807Z","value":""}`:                           line(math.MaxInt64, "", ""),
	} {
		if strings.ReplaceAll(got, `\ufffd`, "�") != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// FuzzLine makes sure that every record becomes one line that reads back.
func FuzzLine(f *testing.F) {
	f.Add(int64(math.MinInt64), "k", "v\u2028\n", "h", "\xff")
	f.Fuzz(func(t *testing.T, at int64, key, value, name, header string) {
		text := line(at, key, value, name, header)
		var l Line
		if err := json.Unmarshal([]byte(text[2:]), &l); err != nil || strings.Contains(text, "\n") {
			t.Fatalf("%q: %v", text, err)
		}
		back := string(l.ValueBase64)
		if l.Value != nil {
			back = *l.Value
		}
		if back != value || l.Key+string(l.KeyBase64) != key || l.Time.UnixNano() != at || len(l.Headers) != 1 && utf8.ValidString(name) {
			t.Errorf("%q reads as %+v", text, l)
		}
	})
}
