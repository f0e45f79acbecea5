package field

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// Time reads event times from a part of records.
type Time struct {
	from   *Extractor
	layout string // for time.Parse; empty for a count
	unit   int    // of a count: ns are ten to the power of it
	want   string // for messages
}

// units are the formats that count from 1970.
var units = map[string]int{"unix": 9, "unixMilli": 6, "unixMicro": 3, "unixNano": 0}

// ParseTime compiles a spec and a format: rfc3339, which is the default; unix,
// unixMilli, unixMicro or unixNano for a number, or a string that holds one, of
// seconds or parts of them since 1970, with or without a fraction; or a layout of
// Go's time package, in which a time without a zone is UTC. An error is as that
// of Parse.
func ParseTime(s Spec, format string) (*Time, error) {
	from, err := Parse(s)
	if err != nil {
		return nil, err
	}
	unit, counts := units[format]
	switch {
	case format == "" || format == "rfc3339":
		return &Time{from: from, layout: time.RFC3339, want: "an RFC 3339 time such as 2026-01-02T15:04:05.678Z"}, nil
	case counts:
		return &Time{from: from, unit: unit, want: fmt.Sprintf("a number (%s)", format)}, nil
	case strings.Contains(format, "2006"):
		return &Time{from: from, layout: format, want: fmt.Sprintf("a time such as %q", format)}, nil
	}
	return nil, &stream.Error{
		Code: stream.ConfigValue,
		Why:  fmt.Sprintf("%q is not a format of time", format),
		Fix:  "write rfc3339, unix, unixMilli, unixMicro, unixNano, or how the time 2 January 2006 15:04:05 looks, such as 02/01/2006 15:04:05",
	}
}

// Of returns the event time of record i in ns since 1970. Finer fractions are cut
// off. An error is a *stream.Error with code record-error and no place: the record
// has no such field, it is not a time, or not one between the years 1678 and 2262.
func (t *Time) Of(b *stream.Batch, i int) (int64, error) {
	v, ok := t.from.Bytes(b, i)
	if !ok {
		return 0, t.failed("is missing")
	}
	if t.layout == "" {
		if ns, ok := count(v, t.unit); ok {
			return ns, nil
		}
		return 0, t.failed("is " + preview(v))
	}
	at, err := time.Parse(t.layout, text(v))
	if err != nil {
		return 0, t.failed("is " + preview(v))
	}
	ns := at.UnixNano()
	if !time.Unix(0, ns).Equal(at) {
		return 0, t.failed("is " + preview(v) + ", which is before 1678 or after 2262,")
	}
	return ns, nil
}

func (t *Time) failed(found string) error {
	return &stream.Error{
		Code: stream.RecordError,
		Why:  fmt.Sprintf("the event time in %v %s instead of %s", t.from.spec, found, t.want),
		Fix:  "correct the record, or the field and format of eventTime",
	}
}

// maxPreview is how much of a field an error shows, in bytes.
const maxPreview = 80

func preview(v []byte) string {
	if len(v) > maxPreview {
		return fmt.Sprintf("%q… (%d bytes)", v[:maxPreview], len(v))
	}
	return fmt.Sprintf("%q", v)
}

// count reads a decimal number, in the notation of JSON, and returns it times ten
// to the power of unit, cut off. False if it is none, or does not fit.
func count(v []byte, unit int) (int64, bool) {
	negative := len(v) > 0 && v[0] == '-'
	if negative {
		v = v[1:]
	}
	var n int64
	point, digits := -1, 0
	for len(v) > 0 && v[0] != 'e' && v[0] != 'E' {
		c := v[0]
		v = v[1:]
		switch {
		case c == '.' && point < 0 && digits > 0:
			point = 0
		case c < '0' || c > '9':
			return 0, false
		case n <= (math.MaxInt64-9)/10:
			n = n*10 + int64(c-'0')
			digits++
			if point >= 0 {
				point++
			}
		case point < 0: // too long for an int64
			return 0, false
		}
	}
	if digits == 0 || point == 0 {
		return 0, false
	}
	exponent, ok := exponent(v)
	if !ok {
		return 0, false
	}
	for shift := unit + exponent - max(point, 0); shift != 0 && n != 0; {
		if shift > 0 {
			if n > math.MaxInt64/10 {
				return 0, false
			}
			n, shift = n*10, shift-1
		} else {
			n, shift = n/10, shift+1
		}
	}
	if negative {
		n = -n
	}
	return n, true
}

// exponent reads what follows the digits of a number: nothing, or e and an
// integer, which is cut to ±9999.
func exponent(v []byte) (int, bool) {
	if len(v) == 0 {
		return 0, true
	}
	v = v[1:]
	negative := len(v) > 0 && v[0] == '-'
	if len(v) > 0 && (v[0] == '-' || v[0] == '+') {
		v = v[1:]
	}
	n := 0
	for _, c := range v {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = min(n*10+int(c-'0'), 9999)
	}
	if negative {
		n = -n
	}
	return n, len(v) > 0
}
