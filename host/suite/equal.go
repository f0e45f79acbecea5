package suite

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wasmill/wasmill/host/config"
)

// differences says in what a record is not as expected, a line each; none = it is.
func differences(e *config.Expected, r *Record) (lines []string) {
	differ := func(what, want, got string) {
		lines = append(lines, fmt.Sprintf("%s: expected %s, actual %s", what, want, got))
	}
	switch value := shown(r.Value); {
	case e.Value != nil && *e.Value != string(r.Value):
		lines = append(lines, firstDifference(*e.Value, string(r.Value)))
	case e.Base64 != nil && !bytes.Equal(e.Base64, r.Value):
		differ("value in base64", base64.StdEncoding.EncodeToString(e.Base64), base64.StdEncoding.EncodeToString(r.Value))
	case e.Contains != nil && !strings.Contains(string(r.Value), *e.Contains):
		lines = append(lines, fmt.Sprintf("value: %s does not contain %q", value, *e.Contains))
	case e.Matches != nil && !e.Matches.Match(r.Value):
		lines = append(lines, fmt.Sprintf("value: %s does not match %s", value, e.Matches))
	case e.JSON != nil:
		lines = append(lines, differencesJSON(e.JSON, r.Value, false)...)
	case e.JSONContains != nil:
		lines = append(lines, differencesJSON(e.JSONContains, r.Value, true)...)
	}
	if e.Key != nil && *e.Key != string(r.Key) {
		differ("key", quoted(*e.Key), quoted(string(r.Key)))
	}
	if e.Tag != nil && (*e.Tag != r.Tag || r.DeadLetter) {
		differ("tag", orNone(*e.Tag), r.tag())
	}
	if e.Time != nil && e.Time.UnixNano() != r.Time {
		differ("time", stamp(e.Time.UnixNano()), stamp(r.Time))
	}
	for _, name := range slices.Sorted(maps.Keys(e.Headers)) {
		got, ok := r.header(name)
		if want := e.Headers[name]; !ok {
			differ("header "+name, quoted(want), "none")
		} else if got != want {
			differ("header "+name, quoted(want), quoted(got))
		}
	}
	return lines
}

// firstDifference says where two texts begin to differ.
func firstDifference(want, got string) string {
	at := 0
	for at < min(len(want), len(got)) && want[at] == got[at] {
		at++
	}
	for at > 0 && at < len(want) && !utf8.RuneStart(want[at]) {
		at-- // not in the middle of a character
	}
	const most = 40
	rest := func(s string) string {
		if at >= len(s) {
			return "its end"
		}
		if s = s[at:]; len(s) > most {
			return strconv.Quote(strings.ToValidUTF8(s[:most], "")) + "…"
		}
		return strconv.Quote(s)
	}
	return fmt.Sprintf("value: from byte %d on expected %s, actual %s", at, rest(want), rest(got))
}

// differencesJSON compares JSON. With less, objects may have more than what is expected.
func differencesJSON(want any, value []byte, less bool) []string {
	d := json.NewDecoder(bytes.NewReader(value))
	d.UseNumber()
	var got any
	err := d.Decode(&got)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("something follows it")
		}
	}
	if err != nil {
		return []string{fmt.Sprintf("value: %s is not JSON", shown(value))}
	}
	var c comparison
	c.compare("", want, got, less)
	return c.lines
}

// comparison collects what is different in JSON.
type comparison struct{ lines []string }

func (c *comparison) differ(at, want, got string) {
	if at == "" {
		at = "value"
	}
	c.lines = append(c.lines, fmt.Sprintf("%s: expected %s, actual %s", at, want, got))
}

// compare compares a value of a test file with one that was decoded with its numbers as
// they are written.
func (c *comparison) compare(at string, want, got any, less bool) {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			break
		}
		for _, k := range slices.Sorted(maps.Keys(w)) {
			if v, ok := g[k]; ok {
				c.compare(member(at, k), w[k], v, less)
			} else {
				c.differ(member(at, k), compact(w[k]), "nothing")
			}
		}
		for _, k := range slices.Sorted(maps.Keys(g)) {
			if _, ok := w[k]; !ok && !less {
				c.differ(member(at, k), "nothing", compact(g[k]))
			}
		}
		return
	case []any:
		g, ok := got.([]any)
		if !ok {
			break
		}
		for i := range max(len(w), len(g)) {
			place := at + "[" + strconv.Itoa(i) + "]"
			switch {
			case i >= len(g):
				c.differ(place, compact(w[i]), "nothing")
			case i >= len(w):
				c.differ(place, "nothing", compact(g[i]))
			default:
				c.compare(place, w[i], g[i], less)
			}
		}
		return
	}
	if !same(want, got) {
		c.differ(at, compact(want), compact(got))
	}
}

// same compares scalars; numbers by what they are worth.
func same(want, got any) bool {
	number, ok := got.(json.Number)
	if !ok {
		return compact(want) == compact(got)
	}
	switch w := want.(type) {
	case float64:
		g, err := number.Float64()
		return err == nil && g == w
	case int, int64, uint64:
		text := fmt.Sprint(w)
		if number.String() == text {
			return true
		}
		g, err := number.Float64()
		exact, _ := strconv.ParseFloat(text, 64)
		return err == nil && strings.ContainsAny(number.String(), ".eE") && g == exact
	}
	return false
}

func member(at, key string) string {
	if at == "" {
		return key
	}
	return at + "." + key
}

// compact writes a value as JSON, cut to what a line can carry.
func compact(v any) string {
	var s strings.Builder
	e := json.NewEncoder(&s)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	return cut(strings.TrimSuffix(s.String(), "\n"))
}

// maxShown is how much of a text a line shows, in bytes.
const maxShown = 400

func cut(s string) string {
	if len(s) <= maxShown {
		return s
	}
	return fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(s[:maxShown], ""), len(s))
}

func quoted(s string) string { return cut(strconv.Quote(s)) }

// shown is a value as a person reads it.
func shown(v []byte) string {
	if !utf8.Valid(v) {
		return quoted(string(v))
	}
	return cut(string(v))
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// tag names the tag of a record.
func (r *Record) tag() string {
	if r.DeadLetter {
		return "none, it is a dead letter"
	}
	return orNone(r.Tag)
}

func stamp(ns int64) string { return time.Unix(0, ns).UTC().Format(time.RFC3339Nano) }
