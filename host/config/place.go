package config

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
)

// path names a value in the tree as people read it: vertices[1].udf.plugin.
// Keys that are not plain words are quoted, so that paths are unique.
type path string

func (p path) key(k string) path {
	switch {
	case !plain(k):
		return p + path("["+strconv.Quote(k)+"]")
	case p == "":
		return path(k)
	}
	return p + "." + path(k)
}

func (p path) index(i int) path { return p + path("["+strconv.Itoa(i)+"]") }

// parent is the path of what holds p, and "" at the top. Under a quoted key it
// may be a path that nothing has, but repeated it arrives at one that something has.
func (p path) parent() path { return p[:max(0, strings.LastIndexAny(string(p), ".["))] }

// last is the last key of p, if it is a plain word.
func (p path) last() string { return string(p[strings.LastIndexAny(string(p), ".[")+1:]) }

func plain(key string) bool {
	return key != "" && strings.IndexFunc(key, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-'
	}) < 0
}

// place is where something was written.
type place struct {
	layer     int    // its rank in the order of layers
	name      string // the file, or the variable or flag
	line, col int    // from 1; 0 outside of files
	root      path   // of the layer: all of a file is below ""
	text      string // a scalar as it was written
	loose     bool   // quotes are the shell's, so types are taken from the target
	null      bool   // what stands there counts as nothing
}

func (at place) String() string {
	if at.line == 0 {
		return at.name
	}
	return fmt.Sprintf("%s:%d:%d", at.name, at.line, at.col)
}

// where renders a place together with the path of what is wrong there.
func (at place) where(p path) string {
	if p == at.root {
		return at.String()
	}
	return fmt.Sprintf("%s (%s)", at, p)
}

// places knows where the keys and the values of a tree were written.
type places struct{ keys, values map[path]place }

func newPlaces() places {
	return places{keys: make(map[path]place), values: make(map[path]place)}
}

// key returns the place of a key, or of its value in a list.
func (ps places) key(p path) place {
	if at, ok := ps.keys[p]; ok {
		return at
	}
	return ps.value(p)
}

// value returns the place of a value, or of the nearest one that holds it.
func (ps places) value(p path) place {
	for {
		if at, ok := ps.values[p]; ok || p == "" {
			return at
		}
		p = p.parent()
	}
}

// says reports whether there is a value at p, rather than a default.
func (ps places) says(p path) bool {
	at, ok := ps.values[p]
	return ok && !at.null
}

// keep forgets the paths that a later layer has removed from a tree.
func (ps places) keep(tree map[string]any) {
	kept := map[path]bool{"": true}
	note("", tree, kept)
	gone := func(p path, _ place) bool { return !kept[p] }
	maps.DeleteFunc(ps.keys, gone)
	maps.DeleteFunc(ps.values, gone)
}

// note collects the paths of what is in a value that stands at p.
func note(p path, v any, paths map[path]bool) {
	paths[p] = true
	switch v := v.(type) {
	case map[string]any:
		for k, inner := range v {
			note(p.key(k), inner, paths)
		}
	case []any:
		for i, inner := range v {
			note(p.index(i), inner, paths)
		}
	}
}
