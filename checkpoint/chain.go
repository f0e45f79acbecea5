package checkpoint

import (
	"bytes"
	"slices"

	"github.com/wasmill/wasmill/host/stream"
)

// chain returns the vertices of a checkpoint with the parts of its parent, to which
// those of the snapshots are added. These are in the order of the vertices' names, so
// that the parts of an epoch come in the order in which its objects have them, in
// every manifest.
func chain(parent *Manifest, snapshots []Snapshot) []VertexState {
	all := make([]VertexState, 0, len(snapshots))
	for i := range snapshots {
		s := &snapshots[i]
		v := VertexState{Vertex: s.Vertex, Meta: bytes.Clone(s.Meta), Commit: bytes.Clone(s.Commit)}
		if parent != nil {
			if before := parent.Vertex(s.Vertex); before != nil {
				v.Parts = slices.Clone(before.Parts)
			}
		}
		all = append(all, v)
	}
	return all
}

// carried returns those objects of the parent that its parts among these vertices
// are in, and points the parts to them; and those of epoch e, whose own objects are
// counted from 0, to where these come after.
func carried(parent *Manifest, e stream.Epoch, vertices []VertexState) []DataObject {
	used := make(map[int]int) // index in the parent → index in objects
	var order []int
	each(vertices, func(p *PartState) {
		for _, x := range p.At {
			if _, ok := used[x.Object]; p.Epoch != e && !ok {
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
			if x := &p.At[i]; p.Epoch == e {
				x.Object += len(objects)
			} else {
				x.Object = used[x.Object]
			}
		}
	})
	return objects
}

// inlineBytes counts the bytes of parts that are in the manifest itself.
func inlineBytes(vertices []VertexState) (n int64) {
	each(vertices, func(p *PartState) { n += int64(len(p.Data)) })
	return n
}

// freshBytes counts the bytes of the parts of an epoch.
func freshBytes(vertices []VertexState, e stream.Epoch) (n int64) {
	each(vertices, func(p *PartState) {
		if p.Epoch == e {
			n += p.Bytes
		}
	})
	return n
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
