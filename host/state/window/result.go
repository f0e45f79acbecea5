package window

import (
	"encoding/base64"
	"encoding/json"
	"time"
	"unicode/utf8"
)

// Firing says why a window gives a result.
type Firing uint8

const (
	// Early results come before the watermark passes the end, and only if records
	// came since the last result.
	Early Firing = iota
	// OnTime is the one result as the watermark passes the end.
	OnTime
	// Late results follow when records came after that, within the lateness.
	Late
)

func (f Firing) String() string { return [...]string{"early", "on-time", "late"}[f] }

// Result is the state of one window of one key when it fires. It takes the place of
// earlier results of the same key and start: results accumulate. Key and Value are
// only valid until the function they were given to returns.
type Result struct {
	Key []byte
	Window
	Value []byte // one JSON value, as the aggregator wrote it
	Fired Firing
}

// AppendJSON appends the result as one JSON object without line ends, its value
// under the given name:
//
//	{"key":"a","start":"2026-01-02T15:00:00Z","end":"2026-01-02T15:01:00Z","fired":"on-time","count":3}
//
// A key that is not UTF-8 stands in base64 under keyBase64 instead. The start and
// end of the global window are null.
func (r Result) AppendJSON(dst []byte, name string) []byte {
	dst = appendText(append(dst, '{'), "key", r.Key)
	dst = appendTime(append(dst, `,"start":`...), r.Start, r.Window)
	dst = appendTime(append(dst, `,"end":`...), r.End, r.Window)
	dst = append(append(dst, `,"fired":"`...), r.Fired.String()...)
	dst = append(appendString(append(dst, `",`...), name), ':')
	return append(append(dst, r.Value...), '}')
}

func appendTime(dst []byte, t int64, w Window) []byte {
	if w == allTime {
		return append(dst, "null"...)
	}
	dst = time.Unix(0, t).UTC().AppendFormat(append(dst, '"'), time.RFC3339Nano)
	return append(dst, '"')
}

// appendText appends a member with text, or base64 if it is not UTF-8.
func appendText(dst []byte, name string, text []byte) []byte {
	if utf8.Valid(text) {
		return appendString(append(appendString(dst, name), ':'), string(text))
	}
	dst = append(appendString(dst, name+"Base64"), `:"`...)
	return append(base64.StdEncoding.AppendEncode(dst, text), '"')
}

// appendString appends text that is UTF-8 as a JSON string.
func appendString(dst []byte, text string) []byte {
	plain := true
	for i := 0; i < len(text) && plain; i++ {
		c := text[i]
		plain = c >= 0x20 && c < 0x7f && c != '"' && c != '\\'
	}
	if plain {
		return append(append(append(dst, '"'), text...), '"')
	}
	quoted, err := json.Marshal(text)
	if err != nil {
		panic("BUG: a string is no JSON: " + err.Error())
	}
	return append(dst, quoted...)
}
