package field

import (
	"errors"
	"math/big"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

func TestFieldTimes(t *testing.T) {
	const noon = 1_767_366_245_000_000_000 // 2026-01-02 15:04:05 UTC
	tests := []struct {
		name, format, value string
		want                int64
		why                 string // part of the error
	}{
		{"rfc3339 by default", "", `"2026-01-02T15:04:05Z"`, noon, ""},
		{"rfc3339 with a fraction and a zone", "rfc3339", `"2026-01-02T17:04:05.123456789+02:00"`, noon + 123456789, ""},
		{"seconds", "unix", `1767366245`, noon, ""},
		{"seconds with a fraction", "unix", `1767366245.25`, noon + 250_000_000, ""},
		{"seconds with a fraction finer than ns", "unix", `1767366245.1234567899999999999`, noon + 123456789, ""},
		{"seconds in a string", "unix", `"1767366245.5"`, noon + 500_000_000, ""},
		{"seconds with an exponent", "unix", `1.767366245E+9`, noon, ""},
		{"seconds with a negative exponent", "unix", `17673662450e-1`, noon, ""},
		{"before 1970", "unix", `-1.5`, -1_500_000_000, ""},
		{"milliseconds", "unixMilli", `1767366245123`, noon + 123_000_000, ""},
		{"microseconds", "unixMicro", `"1767366245123456"`, noon + 123_456_000, ""},
		{"nanoseconds", "unixNano", `1767366245123456789`, noon + 123456789, ""},
		{"zero", "unixNano", `0e99999999999999999999`, 0, ""},
		{"a layout", "02/01/2006 15:04:05", `"02/01/2026 15:04:05"`, noon, ""},
		{"a layout with a zone", "2006-01-02 15:04 -0700", `"2026-01-02 17:04 +0200"`, noon - 5_000_000_000, ""},

		{"missing", "unix", `null`, 0, `the event time in JSON field "at" is missing instead of a number (unix)`},
		{"not rfc3339", "", `"2026-13-02T15:04:05Z"`, 0, `is "2026-13-02T15:04:05Z" instead of an RFC 3339 time such as`},
		{"a number for rfc3339", "", `1767366245`, 0, `is "1767366245" instead of an RFC 3339 time`},
		{"not the layout", "02.01.2006", `"2026-01-02"`, 0, `is "2026-01-02" instead of a time such as "02.01.2006"`},
		{"not a number", "unixMilli", `"2026-01-02T15:04:05Z"`, 0, `is "2026-01-02T15:04:05Z" instead of a number (unixMilli)`},
		{"nothing", "unix", `""`, 0, `is "" instead of a number`},
		{"too late", "", `"2300-01-01T00:00:00Z"`, 0, `is "2300-01-01T00:00:00Z", which is before 1678 or after 2262, instead of`},
		{"too early", "", `"0001-01-01T00:00:00Z"`, 0, `which is before 1678`},
		{"too many", "unix", `17673662450000`, 0, `is "17673662450000" instead of a number (unix)`},
		{"a long text", "unix", `"` + strings.Repeat("x", 1000) + `"`, 0, `x"… (1000 bytes) instead`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			at, err := ParseTime(Spec{JSON: "at"}, tt.format)
			if err != nil {
				t.Fatal(err)
			}
			got, err := at.Of(record("", `{"at":`+tt.value+`}`), 1)
			if tt.why == "" {
				if err != nil || got != tt.want {
					t.Errorf("got %v, %v, want %v", time.Unix(0, got).UTC(), err, time.Unix(0, tt.want).UTC())
				}
				return
			}
			var e *stream.Error
			if !errors.As(err, &e) || e.Code != stream.RecordError || !strings.Contains(e.Why, tt.why) {
				t.Errorf("got %d, %v, want an error with %s", got, err, tt.why)
			}
		})
	}
}

func TestFieldTimeFormatsAreChecked(t *testing.T) {
	for _, format := range []string{"RFC3339", "unixnano", "%Y-%m-%d", "15:04"} {
		_, err := ParseTime(Spec{Key: true}, format)
		var e *stream.Error
		if !errors.As(err, &e) || e.Code != stream.ConfigValue || !strings.Contains(e.Why, format) {
			t.Errorf("%s: got %v", format, err)
		}
	}
}

var number = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?$`)

// FuzzFieldCount compares with exact arithmetic.
func FuzzFieldCount(f *testing.F) {
	for _, s := range []string{"0", "-0", "1.5", "1e3", "9223372036854775807", "9223372036854775808", "-9223372036854775807", "922337203685477580.70", "0.000000001", "1e-400", "1e400", ".5", "5.", "1.2.3", "e5", "--1", "1e", "00000000000000000000000001"} {
		for unit := range 10 {
			f.Add(s, unit)
		}
	}
	f.Fuzz(func(t *testing.T, s string, unit int) {
		if unit < 0 || unit > 9 {
			return
		}
		got, ok := count([]byte(s), unit)
		if !number.MatchString(s) {
			if ok && !strings.ContainsAny(s, "eE") {
				t.Fatalf("%q is no number", s)
			}
			return
		}
		exact, isNumber := new(big.Rat).SetString(s)
		if !isNumber {
			return
		}
		exact.Mul(exact, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(unit)), nil)))
		want := new(big.Int).Quo(exact.Num(), exact.Denom())
		if ok && want.Cmp(big.NewInt(got)) != 0 && len(s) < 19 {
			t.Fatalf("%q times ten to the %d is %v, not %d", s, unit, want, got)
		}
		if !ok && want.IsInt64() && len(s) < 19 {
			t.Fatalf("%q times ten to the %d is %v, and was refused", s, unit, want)
		}
	})
}

// BenchmarkFieldTime is one event time.
func BenchmarkFieldTime(b *testing.B) {
	for format, value := range map[string]string{"rfc3339": `"2026-01-02T15:04:05.678Z"`, "unixMilli": `1767366245123`, "02/01/2006 15:04:05": `"02/01/2026 15:04:05"`} {
		b.Run(format, func(b *testing.B) {
			at, err := ParseTime(Spec{JSON: "dateTime"}, format)
			if err != nil {
				b.Fatal(err)
			}
			batch := record("", `{"auction":1007,"bidder":2002,"price":1234567,"dateTime":`+value+`}`)
			b.ReportAllocs()
			for range b.N {
				if _, err := at.Of(batch, 1); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
