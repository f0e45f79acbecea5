package checkpoint

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/wasmill/wasmill/host/stream"
)

// chain returns the vertices of a checkpoint: the parts of its parent that are still
// needed, then those of the snapshots, with their Data and without a place yet.
// Vertices are in the order of their names, so that the parts of an epoch come in
// the order in which its objects have them, in every manifest.
func chain(parent *Manifest, e stream.Epoch, snapshots []Snapshot) []VertexState {
	all := make([]VertexState, 0, len(snapshots))
	for i := range snapshots {
		s := &snapshots[i]
		v := VertexState{Vertex: s.Vertex, Meta: bytes.Clone(s.Meta), Commit: bytes.Clone(s.Commit)}
		if parent != nil {
			if before := parent.Vertex(s.Vertex); before != nil {
				v.Parts = slices.Clone(before.Parts)
			}
		}
		for _, p := range s.Parts {
			v.Parts = append(v.Parts, PartState{
				Epoch: e, Table: p.Table, From: p.From, To: p.To, Full: p.Full,
				Entries: p.Entries, Bytes: int64(len(p.Data)), Data: p.Data,
			})
		}
		v.Parts = prune(v.Parts)
		all = append(all, v)
	}
	slices.SortFunc(all, func(a, b VertexState) int { return cmp.Compare(a.Vertex, b.Vertex) })
	return all
}

// carried returns those objects of the parent that its parts among these vertices
// are in, and points the parts to them.
func carried(parent *Manifest, vertices []VertexState) []DataObject {
	if parent == nil {
		return nil
	}
	used := make(map[int]int) // index in the parent → index in objects
	var order []int
	each(vertices, func(p *PartState) {
		for _, x := range p.At {
			if _, ok := used[x.Object]; !ok {
				used[x.Object] = 0
				order = append(order, x.Object)
			}
		}
	})
	slices.Sort(order)
	objects := make([]DataObject, len(order))
	for i, o := range order {
		used[o], objects[i] = i, parent.Objects[o]
	}
	each(vertices, func(p *PartState) {
		p.At = slices.Clone(p.At) // the parent keeps its own
		for i := range p.At {
			p.At[i].Object = used[p.At[i].Object]
		}
	})
	return objects
}

// split returns the parts of an epoch, and how many bytes of the others are in the
// manifest itself.
func split(vertices []VertexState, e stream.Epoch) (fresh []*PartState, inline int64) {
	each(vertices, func(p *PartState) {
		if p.Epoch == e {
			fresh = append(fresh, p)
		} else {
			inline += int64(len(p.Data))
		}
	})
	return fresh, inline
}

func totalBytes(vertices []VertexState) (n int64) {
	each(vertices, func(p *PartState) { n += p.Bytes })
	return n
}

func each(vertices []VertexState, visit func(p *PartState)) {
	for i := range vertices {
		for j := range vertices[i].Parts {
			visit(&vertices[i].Parts[j])
		}
	}
}
