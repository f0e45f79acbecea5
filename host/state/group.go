package state

import (
	"math/bits"

	"github.com/cespare/xxhash/v2"
)

// Group is a key group: the unit in which state is snapshotted and moved.
type Group uint16

// DefaultGroups is the number of key groups of a vertex unless set.
const DefaultGroups = 128

// HashVersion names the function behind GroupOf. Snapshots depend on it: a
// different function needs a different number, and a way to read the old one.
const HashVersion = 1

// GroupOf returns the group of a key out of groups, which is at least 1 and at
// most 65536. Version 1: the upper 64 bits of xxh64(key, seed 0) · groups.
func GroupOf(key []byte, groups int) Group {
	high, _ := bits.Mul64(xxhash.Sum64(key), uint64(groups))
	return Group(high)
}
