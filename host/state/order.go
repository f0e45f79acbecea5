package state

import (
	"bytes"
	"slices"
	"sort"
)

// leafSize is the most refs in a leaf of an order.
const leafSize = 256

// order is the keys of a table in byte order: leaves of refs, each leaf sorted
// and before the next, none empty.
type order struct {
	table  *table
	leaves [][]ref
}

// newOrder sorts the entries of a table.
func newOrder(t *table) *order {
	o := &order{table: t}
	all := make([]ref, 0, t.keys.Load())
	now := t.now
	t.now = minTime // those past their time belong to the order until removed
	t.each(func(r ref, _ []byte, _ entry) bool {
		all = append(all, r)
		return true
	})
	t.now = now
	slices.SortFunc(all, func(a, b ref) int { return bytes.Compare(t.keyAt(a), t.keyAt(b)) })
	for part := range slices.Chunk(all, leafSize/2) {
		o.leaves = append(o.leaves, o.leaf(part))
	}
	return o
}

// leaf returns a new leaf. The budget counts its memory, and is not asked: an
// order is a small part of what was granted to its entries.
func (o *order) leaf(part []ref) []ref {
	o.account(leafSize)
	return append(make([]ref, 0, leafSize), part...)
}

func (o *order) account(refs int) {
	p := &o.table.arena.purse
	was := p.forced
	p.forced = true
	p.draw(8 * int64(refs))
	p.forced = was
}

// seek returns the place of the first key that is not before key.
func (o *order) seek(key []byte) (leaf, at int) {
	leaf = sort.Search(len(o.leaves), func(i int) bool {
		return bytes.Compare(o.table.keyAt(o.leaves[i][0]), key) > 0
	})
	if leaf == 0 {
		return 0, 0
	}
	refs := o.leaves[leaf-1]
	at = sort.Search(len(refs), func(i int) bool { return bytes.Compare(o.table.keyAt(refs[i]), key) >= 0 })
	return leaf - 1, at
}

// each visits the entries that begin with prefix.
func (o *order) each(prefix []byte, visit func(key, value []byte) bool) {
	leaf, at := o.seek(prefix)
	for ; leaf < len(o.leaves); leaf, at = leaf+1, 0 {
		for ; at < len(o.leaves[leaf]); at++ {
			d := o.table.arena.at(o.leaves[leaf][at])
			e := decode(d)
			key := e.keyOf(d)
			if !bytes.HasPrefix(key, prefix) {
				return
			}
			if !o.table.ended(e, d) && !visit(key, e.valueOf(d)) {
				return
			}
		}
	}
}

// added implements follower.
func (o *order) added(r ref) {
	if len(o.leaves) == 0 {
		o.leaves = append(o.leaves, o.leaf([]ref{r}))
		return
	}
	leaf, at := o.seek(o.table.keyAt(r))
	if refs := o.leaves[leaf]; len(refs) == leafSize {
		o.leaves = slices.Insert(o.leaves, leaf+1, o.leaf(refs[leafSize/2:]))
		o.leaves[leaf] = refs[:leafSize/2]
		if at > leafSize/2 {
			leaf, at = leaf+1, at-leafSize/2
		}
	}
	o.leaves[leaf] = slices.Insert(o.leaves[leaf], at, r)
}

// moved implements follower.
func (o *order) moved(from, to ref) {
	leaf, at := o.seek(o.table.keyAt(from))
	o.leaves[leaf][at] = to
}

// removed implements follower. Two leaves that fit into half of one become one.
func (o *order) removed(r ref) {
	leaf, at := o.seek(o.table.keyAt(r))
	o.leaves[leaf] = slices.Delete(o.leaves[leaf], at, at+1)
	if next := leaf + 1; next < len(o.leaves) && len(o.leaves[leaf])+len(o.leaves[next]) <= leafSize/2 {
		o.leaves[leaf] = append(o.leaves[leaf], o.leaves[next]...)
		o.leaves = slices.Delete(o.leaves, next, next+1)
		o.account(-leafSize)
	}
	if len(o.leaves[leaf]) == 0 {
		o.leaves = slices.Delete(o.leaves, leaf, leaf+1)
		o.account(-leafSize)
	}
}
