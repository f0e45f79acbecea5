package admin

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wasmill/wasmill/host/stream"
)

// TapQuery says what a Tap is to show.
type TapQuery struct {
	Vertex   string // what it emits, or is to write; or else
	From, To string // what the edges between these carry

	Tag      string  // that records have; empty = any or none
	Key      *string // that they have, empty = none; nil = any or none
	Contains string  // what is in their values

	Limit int // records until the end; 0 = none
	Rate  int // records/s, at most
	Bytes int // of a key, a value and the headers together, each, at most
}

// The usual and the most of a TapQuery.
const (
	UsualTapRate  = 100
	MaxTapRate    = 10_000
	UsualTapBytes = 1 << 10
	MaxTapBytes   = 64 << 10
	MaxTapLimit   = 1 << 30
)

// parameter is one of a query.
type parameter struct {
	name, about string
	least, most int // if it is a number
}

func tapParameters() []parameter {
	return []parameter{
		{name: "vertex", about: "show what this vertex emits, or, if it is a sink, is to write"},
		{name: "edge", about: "show what the edges FROM->TO carry, instead of vertex"},
		{name: "tag", about: "only records that leave their vertex with this tag"},
		{name: "key", about: "only records with this key, empty = without one"},
		{name: "contains", about: "only records whose value has this in it"},
		{name: "limit", about: "end after so many records; 0 = do not", most: MaxTapLimit},
		{name: "rate", about: fmt.Sprintf("at most so many records/s, a fair sample of all; usually %d", UsualTapRate), least: 1, most: MaxTapRate},
		{name: "bytes", about: fmt.Sprintf("show so many bytes of a value, and of a key, at most; usually %d", UsualTapBytes), least: 1, most: MaxTapBytes},
	}
}

// tapQuery reads what a tap is to show.
func (q *request) tapQuery() (TapQuery, error) {
	var t TapQuery
	given := q.r.URL.Query()
	wrong := func(where, why, fix string) (TapQuery, error) {
		return t, &stream.Error{Code: APIRequest, Where: fmt.Sprintf("%.40q", where), Why: why, Fix: fix}
	}
	names := []string{}
	for _, p := range tapParameters() {
		names = append(names, p.name)
	}
	for name, values := range given {
		if !slices.Contains(names, name) {
			return wrong(name, "there is no such parameter", "there are "+strings.Join(names, ", "))
		}
		if len(values) > 1 {
			return wrong(name, "it is given more than once", "give it once")
		}
	}
	t.Vertex, t.Tag, t.Contains = given.Get("vertex"), given.Get("tag"), given.Get("contains")
	if given.Has("key") {
		key := given.Get("key")
		t.Key = &key
	}
	if edge := given.Get("edge"); edge != "" {
		var ok bool
		if t.From, t.To, ok = CutEdge(edge); !ok {
			return wrong(edge, "that is no edge", "write it as FROM->TO")
		}
	}
	if (t.Vertex == "") == (t.From == "") {
		return wrong("vertex, edge", "it takes one of them", "name a vertex, or an edge as FROM->TO")
	}
	var err error
	for name, n := range map[string]*int{"limit": &t.Limit, "rate": &t.Rate, "bytes": &t.Bytes} {
		usual := map[string]int{"rate": UsualTapRate, "bytes": UsualTapBytes}[name]
		for _, p := range tapParameters() {
			if p.name == name && err == nil {
				*n, err = q.number(name, usual, p.least, p.most)
			}
		}
	}
	return t, err
}

// CutEdge returns the ends of an edge that is written as FROM->TO or FROM→TO. No name
// has such an arrow in it.
func CutEdge(text string) (from, to string, ok bool) {
	from, to, ok = strings.Cut(strings.Replace(text, "→", "->", 1), "->")
	if !ok || from == "" || to == "" {
		return "", "", false
	}
	return from, to, true
}
