package config

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// written shows a scalar as it could be written: the same text for the same values of
// a type and for no others.
func written(v reflect.Value) string {
	if m, ok := v.Interface().(encoding.TextMarshaler); ok {
		if text, err := m.MarshalText(); err == nil {
			return word(string(text))
		}
	}
	switch {
	case v.Kind() == reflect.Interface && v.IsNil():
		return ""
	case v.Kind() == reflect.Interface:
		return writtenJSON(v.Interface())
	}
	return word(fmt.Sprint(v.Interface()))
}

// word quotes a text that is no plain one within a line, or in a list or map.
func word(text string) string {
	if text == "" || strings.ContainsAny(text, " \"'`,[]{}→") || strings.Contains(text, ": ") || strconv.Quote(text) != `"`+text+`"` {
		return strconv.Quote(text)
	}
	return text
}

// writtenList shows a list, in any order if it is a set.
func writtenList(v reflect.Value, set bool) string {
	all := make([]string, v.Len())
	for i := range all {
		all[i] = written(v.Index(i))
	}
	if set {
		slices.Sort(all)
	}
	return "[" + strings.Join(all, ", ") + "]"
}

// writtenJSON shows a JSON value; what cannot be printed is escaped.
func writtenJSON(v any) string {
	var data bytes.Buffer
	e := json.NewEncoder(&data)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return word(fmt.Sprint(v))
	}
	var s strings.Builder
	for _, r := range strings.TrimSuffix(data.String(), "\n") {
		switch {
		case strconv.IsPrint(r):
			s.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&s, `\U%08x`, r)
		default:
			fmt.Fprintf(&s, `\u%04x`, r)
		}
	}
	return s.String()
}

// writtenDuration leaves out units that are zero: 1m and not 1m0s.
func writtenDuration(d time.Duration) string {
	text := d.String()
	if s, ok := strings.CutSuffix(text, "m0s"); ok {
		text = s + "m"
	}
	if s, ok := strings.CutSuffix(text, "h0m"); ok {
		text = s + "h"
	}
	return text
}

func writtenConcurrency(c Concurrency) string {
	if c.Min == 0 {
		return strconv.Itoa(c.Max)
	}
	return fmt.Sprintf("{min: %d, max: %d}", c.Min, c.Max)
}

func writtenInterval(i Interval) string {
	a := i.Adaptive
	if a == nil {
		return writtenDuration(i.Fixed)
	}
	text := fmt.Sprintf("{adaptive: {min: %s, max: %s", writtenDuration(a.Min), writtenDuration(a.Max))
	if a.RecoveryTime != 0 {
		text += ", recoveryTime: " + writtenDuration(a.RecoveryTime)
	}
	return text + "}}"
}

func writtenKey(k Key) string {
	var said []string
	if k.JSON != "" {
		said = append(said, "json: "+word(k.JSON))
	}
	if k.Header != "" {
		said = append(said, "header: "+word(k.Header))
	}
	if k.Key {
		said = append(said, "key: true")
	}
	return "{" + strings.Join(said, ", ") + "}"
}

// writtenVertex is the role of a vertex and its kind or plugin.
func writtenVertex(v *Vertex) string {
	switch role := v.Role(); {
	case v.Source != nil:
		return role + " " + v.Source.Kind
	case v.UDF != nil:
		return role + " " + written(reflect.ValueOf(v.UDF.Plugin))
	case v.Aggregate != nil:
		return role + " " + v.Aggregate.Kind
	case v.Join != nil:
		return role + " " + v.Join.Kind
	default:
		return role + " " + v.Sink.Kind
	}
}

// writtenEdge says which records take an edge.
func writtenEdge(e Edge) string {
	switch {
	case e.DeadLetters():
		return "dead letters"
	case e.When != nil:
		return "tags " + writtenList(reflect.ValueOf(e.When.Tags), true)
	case e.Side != "":
		return "a side input"
	}
	return "untagged records"
}
