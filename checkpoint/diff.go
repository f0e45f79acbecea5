package checkpoint

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"github.com/wasmill/wasmill/host/stream"
)

// Difference is what lies between two checkpoints of a vertex. For a vertex that only
// one of them has, Only says which.
type Difference struct {
	Vertex  stream.VertexID
	Only    stream.Epoch // 0: both have it
	Added   Amount       // parts that only the second has
	Removed Amount       // parts that only the first has
	Same    Amount
	Meta    []Change // of top-level keys, in order
}

// Amount counts parts and their bytes.
type Amount struct {
	Parts int
	Bytes int64
}

// Change is a key of Meta with different values; nil is none.
type Change struct {
	Key      string
	From, To json.RawMessage
}

// Diff compares two checkpoints of a pipeline vertex by vertex, in the order of
// their names, and leaves out what is the same.
func Diff(a, b *Manifest) []Difference {
	names := make(map[stream.VertexID]bool)
	for _, m := range []*Manifest{a, b} {
		for _, v := range m.Vertices {
			names[v.Vertex] = true
		}
	}
	var all []Difference
	for _, name := range slices.Sorted(maps.Keys(names)) {
		d := Difference{Vertex: name}
		from, to := a.Vertex(name), b.Vertex(name)
		if from == nil {
			from, d.Only = new(VertexState), b.Epoch
		}
		if to == nil {
			to, d.Only = new(VertexState), a.Epoch
		}
		d.compare(from, to)
		if d.Only != 0 || d.Added.Parts > 0 || d.Removed.Parts > 0 || len(d.Meta) > 0 {
			all = append(all, d)
		}
	}
	return all
}

func (d *Difference) compare(from, to *VertexState) {
	before := make(map[partID]int)
	for i := range from.Parts {
		before[idOf(&from.Parts[i])]++
	}
	for i := range to.Parts {
		p := &to.Parts[i]
		if before[idOf(p)] > 0 {
			before[idOf(p)]--
			d.Same.add(p)
		} else {
			d.Added.add(p)
		}
	}
	for i := range from.Parts {
		p := &from.Parts[i]
		if before[idOf(p)] > 0 {
			before[idOf(p)]--
			d.Removed.add(p)
		}
	}
	d.Meta = changes(from.Meta, to.Meta)
}

// partID tells a part from others of its vertex: parts of an epoch do not change.
type partID struct {
	epoch    stream.Epoch
	table    string
	from, to int
	full     bool
	bytes    int64
}

func idOf(p *PartState) partID { return partID{p.Epoch, p.Table, p.From, p.To, p.Full, p.Bytes} }

func (a *Amount) add(p *PartState) {
	a.Parts++
	a.Bytes += p.Bytes
}

// changes compares two JSON objects by their top-level keys; anything else counts
// as one value without a key.
func changes(from, to json.RawMessage) []Change {
	var a, b map[string]json.RawMessage
	if !object(from, &a) || !object(to, &b) {
		if equalJSON(from, to) {
			return nil
		}
		return []Change{{From: from, To: to}}
	}
	keys := maps.Clone(a)
	if keys == nil {
		keys = make(map[string]json.RawMessage)
	}
	maps.Copy(keys, b)
	var all []Change
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		if !equalJSON(a[k], b[k]) {
			all = append(all, Change{k, a[k], b[k]})
		}
	}
	return all
}

// object reads a JSON object; no JSON at all is an empty one.
func object(data json.RawMessage, into *map[string]json.RawMessage) bool {
	return len(data) == 0 || json.Unmarshal(data, into) == nil
}

// equalJSON compares but for white space.
func equalJSON(a, b json.RawMessage) bool {
	var x, y bytes.Buffer
	if json.Compact(&x, a) != nil || json.Compact(&y, b) != nil {
		return bytes.Equal(a, b)
	}
	return bytes.Equal(x.Bytes(), y.Bytes())
}
