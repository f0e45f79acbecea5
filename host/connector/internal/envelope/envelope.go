package envelope

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/stream"
)

// The values of the setting format of a sink.
const (
	Value = "value" // the value of a record alone
	JSON  = "json"  // a Line
)

// Valid reports a format that there is not.
func Valid(format string, report func(path, why, fix string)) {
	if format != Value && format != JSON {
		report("format", "there is no format "+strconv.Quote(format), "use value or json")
	}
}

// Line is a record as a JSON object. A key or value that is not UTF-8 is in
// base64; an empty key is left out. Of headers with the same name the last
// counts, and bytes of them that are not UTF-8 become U+FFFD.
type Line struct {
	Time        time.Time         `json:"time"` // the event time, UTC
	Key         string            `json:"key,omitempty"`
	KeyBase64   []byte            `json:"key_base64,omitempty"`
	Value       *string           `json:"value,omitempty"`
	ValueBase64 []byte            `json:"value_base64,omitempty"`
	Headers     map[string]string `json:"headers,omitempty"`
}

// Append adds record i of a batch to dst, in one line without its end.
func Append(dst []byte, b *stream.Batch, i int) []byte {
	l := Line{Time: time.Unix(0, b.Records[i].Time).UTC()}
	if key := b.Key(i); utf8.Valid(key) {
		l.Key = string(key)
	} else {
		l.KeyBase64 = key
	}
	if value := b.Value(i); utf8.Valid(value) {
		text := string(value)
		l.Value = &text
	} else {
		l.ValueBase64 = value
	}
	for block := b.Headers(i); ; {
		name, value, rest, ok := abi.NextHeader(block)
		if !ok {
			break
		}
		if l.Headers == nil {
			l.Headers = make(map[string]string)
		}
		l.Headers[string(name)], block = string(value), rest
	}
	out := bytes.NewBuffer(dst)
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	if err := e.Encode(l); err != nil {
		panic("BUG: envelope: a record has no JSON: " + err.Error())
	}
	return out.Bytes()[:out.Len()-1]
}
