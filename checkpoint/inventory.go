package checkpoint

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// inventory is what a listing of a pipeline's objects says. It is never changed.
type inventory struct {
	layout  layout
	claims  []Object                    // in order
	begun   map[Generation]stream.Epoch // what generations began with, 0 for nothing of this pipeline
	adopted Generation                  // the newest that began with what is elsewhere
	starts  []Object
	records map[stream.Epoch]Object
	marks   map[stream.Epoch]Object
	written []Object         // manifests and data objects, in order
	bytes   map[string]int64 // of each object
	newest  time.Time        // when the last object changed, by the clock of the store
}

// takeInventory lists the objects of a pipeline.
func takeInventory(ctx context.Context, s Store, l layout) (*inventory, error) {
	var inv *inventory
	err := again(ctx, func() error {
		inv = &inventory{layout: l, begun: make(map[Generation]stream.Epoch), records: make(map[stream.Epoch]Object), marks: make(map[stream.Epoch]Object), bytes: make(map[string]int64)}
		for o, err := range s.List(ctx, l.folder()) {
			if err != nil {
				return err
			}
			inv.add(o)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the objects of %s: %w", l, err)
	}
	slices.SortFunc(inv.claims, func(a, b Object) int { return strings.Compare(a.Name, b.Name) })
	return inv, nil
}

func (inv *inventory) add(o Object) {
	switch p := inv.layout.parse(o.Name); p.kind {
	case claimKind:
		inv.claims = append(inv.claims, o)
	case startKind:
		inv.starts = append(inv.starts, o)
		inv.begun[p.generation] = p.epoch
	case adoptionKind:
		inv.starts = append(inv.starts, o)
		inv.begun[p.generation] = 0
		inv.adopted = max(inv.adopted, p.generation)
	case recordKind:
		inv.records[p.epoch] = o
	case markKind:
		inv.marks[p.epoch] = o
	case manifestKind, dataKind:
		inv.written = append(inv.written, o)
	default:
		return
	}
	inv.bytes[o.Name] = o.Bytes
	if o.Changed.After(inv.newest) {
		inv.newest = o.Changed
	}
}

// abandoned says whether a later generation began with an older checkpoint than this
// one: because it had to, was told to, or did not know of it.
func (inv *inventory) abandoned(m *Manifest) bool {
	for g, from := range inv.begun {
		if g > m.Generation && from < m.Epoch {
			return true
		}
	}
	return false
}

// adopting says whether the newest generation that began at all did so with what is
// elsewhere.
func (inv *inventory) adopting() bool {
	if inv.adopted == 0 {
		return false
	}
	for g := range inv.begun {
		if g > inv.adopted {
			return false
		}
	}
	return true
}

// epochs returns those that have a record, the newest first.
func (inv *inventory) epochs() []stream.Epoch { return descending(inv.records) }

// highest returns the highest epoch of a record or a mark, 0 if there is none.
func (inv *inventory) highest() stream.Epoch {
	top := stream.Epoch(0)
	for e := range inv.records {
		top = max(top, e)
	}
	for e := range inv.marks {
		top = max(top, e)
	}
	return top
}

// lost returns the epochs that were committed, and whose record is gone though
// everything older is still there: retention leaves no such marks.
func (inv *inventory) lost() []stream.Epoch {
	var gone []stream.Epoch
	newest := stream.Epoch(0)
	for e := range inv.records {
		newest = max(newest, e)
	}
	for _, e := range descending(inv.marks) {
		if e > newest {
			gone = append(gone, e)
		}
	}
	return gone
}

// generation returns the highest that is claimed, 0 for none.
func (inv *inventory) generation() Generation {
	if len(inv.claims) == 0 {
		return 0
	}
	return inv.layout.parse(inv.claims[len(inv.claims)-1].Name).generation
}

// age is how long before the last change of any object this one was.
func (inv *inventory) age(o Object) time.Duration { return inv.newest.Sub(o.Changed) }

// present checks that the objects of a manifest are there in full length.
func (inv *inventory) present(m *Manifest) error {
	for _, o := range m.Objects {
		name := inv.layout.object(o.Name)
		switch n, ok := inv.bytes[name]; {
		case !ok:
			return damaged(name, "the object is gone")
		case n != o.Bytes:
			return damaged(name, "the object has %d bytes instead of %d", n, o.Bytes)
		}
	}
	return nil
}

func descending(m map[stream.Epoch]Object) []stream.Epoch {
	all := make([]stream.Epoch, 0, len(m))
	for e := range m {
		all = append(all, e)
	}
	slices.Sort(all)
	slices.Reverse(all)
	return all
}
