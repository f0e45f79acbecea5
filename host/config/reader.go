package config

import (
	"fmt"
	"math"
	"strings"

	"github.com/wasmill/wasmill/host/stream"
	"go.yaml.in/yaml/v3"
)

// Bounds of one document, so that aliases cannot blow it up. A list of tags
// that fits is one that a stream.TagTable can number.
const (
	maxNodes = 1<<16 - 1
	maxDepth = 32
	maxKey   = 128 // bytes
)

const mergeTag = "!!merge"

// reader turns YAML nodes into maps, lists and scalars: map[string]any, []any,
// string, bool, int, int64, uint64, float64 and nil. It expands aliases and
// merge keys, and refuses what has no counterpart in JSON.
type reader struct {
	*faults
	places
	from  place // of the whole document
	nodes int   // seen so far, aliases expanded
}

// value reads a node that stands at p. key is where its key is, if it has one.
func (r *reader) value(p path, n *yaml.Node, depth int) any {
	if r.nodes++; r.nodes > maxNodes || depth > maxDepth {
		return r.tooBig(n, depth)
	}
	r.values[p] = r.at(n)
	switch n.Kind {
	case yaml.AliasNode:
		return r.value(p, n.Alias, depth+1)
	case yaml.MappingNode:
		m := make(map[string]any, len(n.Content)/2)
		r.mapping(p, n, depth, m)
		return m
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, e := range n.Content {
			list[i] = r.value(p.index(i), e, depth+1)
		}
		return list
	}
	return r.scalar(p, n)
}

// tooBig reports the bound that a node exceeds, the size only once.
func (r *reader) tooBig(n *yaml.Node, depth int) any {
	switch {
	case r.nodes == maxNodes+1:
		r.add(r.at(n), r.from.root, stream.ConfigSyntax, fmt.Sprintf("there are more than %d values", maxNodes),
			"make it smaller; aliases count as often as they are used")
	case r.nodes <= maxNodes && depth > maxDepth:
		r.nodes = maxNodes + 1
		r.add(r.at(n), r.from.root, stream.ConfigSyntax, fmt.Sprintf("values are nested more than %d deep", maxDepth),
			"make it flatter; an alias must not be inside of its own anchor")
	}
	return nil
}

// mapping reads the entries of a node into m. Merged entries come first, so
// that the node's own and the earlier ones of several win.
func (r *reader) mapping(p path, n *yaml.Node, depth int, m map[string]any) {
	first := make(map[string]int, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].ShortTag() == mergeTag {
			r.merge(p, n.Content[i+1], depth+1, m)
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at := r.at(key)
		if key.ShortTag() == mergeTag {
			continue
		}
		if why, fix := r.checkKey(key); why != "" {
			r.add(at, p, stream.ConfigSyntax, why, fix)
			continue
		}
		child := p.key(key.Value)
		if line, ok := first[key.Value]; ok {
			r.add(at, child, stream.ConfigDuplicateKey, fmt.Sprintf("%q is there twice", key.Value),
				fmt.Sprintf("remove one; the other is in line %d", line))
			continue
		}
		first[key.Value] = key.Line
		r.keys[child] = at
		m[key.Value] = r.value(child, value, depth+1)
	}
}

// merge reads what a merge key stands for: a map, or a list of maps.
func (r *reader) merge(p path, n *yaml.Node, depth int, m map[string]any) {
	if r.nodes++; r.nodes > maxNodes || depth > maxDepth {
		r.tooBig(n, depth)
		return
	}
	switch n.Kind {
	case yaml.AliasNode:
		r.merge(p, n.Alias, depth+1, m)
	case yaml.MappingNode:
		r.mapping(p, n, depth+1, m)
	case yaml.SequenceNode:
		for i := len(n.Content) - 1; i >= 0; i-- {
			r.merge(p, n.Content[i], depth+1, m)
		}
	default:
		r.add(r.at(n), p, stream.ConfigType, "<< wants a map to merge, or a list of maps", "write <<: *anchor")
	}
}

func (r *reader) checkKey(n *yaml.Node) (why, fix string) {
	switch {
	case n.Kind != yaml.ScalarNode:
		return "a key has to be a text", "write a plain word before the colon"
	case n.ShortTag() != "!!str":
		return fmt.Sprintf("a key has to be a text, and %s is not one", shorten(n.Value)), fmt.Sprintf("quote it: %q", n.Value)
	case n.Value == "" || len(n.Value) > maxKey:
		return fmt.Sprintf("a key has 1 to %d bytes", maxKey), "use another name"
	case strings.ContainsFunc(n.Value, func(c rune) bool { return c < ' ' }):
		return "a key has no control characters", "use another name"
	}
	return "", ""
}

func (r *reader) scalar(p path, n *yaml.Node) any {
	bad := func(code stream.Code, why, fix string) any {
		r.add(r.at(n), p, code, why, fix)
		return nil
	}
	switch tag := n.ShortTag(); tag {
	case "!!null":
		return nil
	case "!!str", "!!timestamp":
		return n.Value
	case "!!bool", "!!int", "!!float":
		var v any
		if err := n.Decode(&v); err != nil {
			return bad(stream.ConfigType, fmt.Sprintf("%q is not what the tag %s says", shorten(n.Value), tag), "remove the tag")
		}
		if f, ok := v.(float64); ok && (math.IsNaN(f) || math.IsInf(f, 0)) {
			return bad(stream.ConfigValue, fmt.Sprintf("%s is not a number", shorten(n.Value)), "write a finite number")
		}
		return v
	default:
		return bad(stream.ConfigSyntax, fmt.Sprintf("the tag %s has no meaning here", shorten(tag)), "remove the tag")
	}
}

// at is the place of a node.
func (r *reader) at(n *yaml.Node) place {
	at := r.from
	if n.Kind == yaml.ScalarNode {
		at.text, at.null = n.Value, n.ShortTag() == "!!null"
	}
	if at.line > 0 {
		at.line, at.col = n.Line, n.Column
	}
	return at
}

// shorten cuts a text to what a message can carry.
func shorten(s string) string {
	const most = 40
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
