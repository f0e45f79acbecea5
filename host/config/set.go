package config

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/wasmill/wasmill/host/stream"
	"go.yaml.in/yaml/v3"
)

// SplitSet tells the --set arguments of the process file from those of the
// pipeline, by the first key of their paths. One that neither has goes to where
// the most similar key is, which then reports it.
func SplitSet(set []string) (process, pipeline []string) {
	ours, theirs := keysOf(reflect.TypeFor[Process]()), keysOf(reflect.TypeFor[Pipeline]())
	for _, arg := range set {
		name, _, _ := strings.Cut(arg, "=")
		first, _, _ := strings.Cut(steps.Replace(name), ".")
		if near, ok := Nearest(first, slices.Concat(theirs, ours)); ok && slices.Contains(ours, near) {
			process = append(process, arg)
		} else {
			pipeline = append(pipeline, arg)
		}
	}
	return process, pipeline
}

// steps writes vertices[1].name as vertices.1.name.
var steps = strings.NewReplacer("[", ".", "]", "")

// set applies one --set argument to the tree. Its value replaces what was at
// the path. Elements of lists are named by index, or by their name.
func (m *merged) set(arg string) {
	m.layer++
	at := place{layer: m.layer, name: "--set " + shown(arg), loose: true}
	name, text, ok := strings.Cut(arg, "=")
	keys := strings.Split(steps.Replace(name), ".")
	if !ok || len(keys) > maxDepth || slices.ContainsFunc(keys, func(k string) bool { return k == "" || len(k) > maxKey }) {
		m.add(at, "", stream.ConfigSyntax, "it is not path=value", "write it like vertices.parse.concurrency=4")
		return
	}
	e := &edit{merged: m, at: at, text: text}
	m.tree, _ = e.apply("", m.tree, keys).(map[string]any)
}

// edit is one --set on its way down the tree.
type edit struct {
	*merged
	at   place
	text string
}

// apply returns old, which stands at p, with the value at keys replaced, or old
// itself after a fault.
func (e *edit) apply(p path, old any, keys []string) any {
	if len(keys) == 0 {
		return e.value(p, old)
	}
	key, rest := keys[0], keys[1:]
	switch old := old.(type) {
	case nil:
		return e.into(p, make(map[string]any), key, rest)
	case map[string]any:
		return e.into(p, old, key, rest)
	case []any:
		i, names := find(old, key)
		if i < 0 {
			e.add(e.at, "", stream.ConfigUnknownKey, fmt.Sprintf("%s has no %s", p, shorten(key)), Suggest(key, names))
			return old
		}
		old[i] = e.apply(p.index(i), old[i], rest)
		return old
	case string:
		if old == key { // source: stdin is short for source: {stdin: null}
			return e.into(p, make(map[string]any), key, rest)
		}
	}
	e.add(e.at, "", stream.ConfigType, fmt.Sprintf("%s is %s, so %s cannot be set inside of it", p, describe(old), shorten(key)),
		fmt.Sprintf("set %s as a whole", p))
	return old
}

func (e *edit) into(p path, m map[string]any, key string, rest []string) any {
	child := p.key(key)
	if _, ok := m[key]; !ok {
		at := e.at
		at.root = child
		e.keys[child], e.values[child] = at, at
	}
	m[key] = e.apply(child, m[key], rest)
	return m
}

// find returns the index of the list element that key means, or -1 and the
// names there are.
func find(list []any, key string) (int, []string) {
	var names []string
	for i, el := range list {
		if el, ok := el.(map[string]any); ok {
			if name, ok := el["name"].(string); ok {
				if name == key {
					return i, nil
				}
				names = append(names, name)
			}
		}
	}
	if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < len(list) {
		return i, nil
	}
	return -1, names
}

// value reads the text as YAML in one line: something in brackets, braces or
// quotes, or else a plain scalar with any characters.
func (e *edit) value(p path, old any) any {
	at := e.at
	at.root = p
	node := &yaml.Node{Kind: yaml.ScalarNode, Value: e.text}
	if e.text == "" {
		node.Style = yaml.DoubleQuotedStyle // an empty text, not null
	} else if strings.ContainsRune(`[{"'`, rune(e.text[0])) {
		doc, bad := parse([]byte(e.text))
		if bad != nil {
			bad.fault(&e.faults, at)
			return old
		}
		node = doc
	}
	e.keys[p] = at
	r := &reader{faults: &e.faults, places: e.places, from: at}
	return r.value(p, node, 0)
}
