package revision

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// suffix is how the names of all files end.
const suffix = ".revision"

// digits is how many digits a number has in a name at least, so that a listing is in order.
const digits = 10

// nameOf is the name of the file of a revision.
func nameOf(n Number) string { return fmt.Sprintf("%0*d%s", digits, n, suffix) }

// numberOf reads a name. ok is false if it is none of a revision.
func numberOf(name string) (n Number, ok bool) {
	text, ok := strings.CutSuffix(name, suffix)
	if !ok {
		return 0, false
	}
	v, err := strconv.ParseUint(text, 10, 64)
	if err != nil || v == 0 || nameOf(Number(v)) != name {
		return 0, false
	}
	return Number(v), true
}

// numbersOf returns the numbers that names have, in their order.
func numbersOf(names []string) (all []Number) {
	for _, name := range names {
		if n, ok := numberOf(name); ok {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return all
}

// surplus returns the numbers that are to go so that the last keep readable ones stay.
// Of those that cannot be read the ones go that are older than all that stay; the highest
// number stays in any case, so that it is not given again.
func surplus(all []Number, readable func(Number) bool, keep int) (gone []Number) {
	oldest, kept := Number(0), 0
	for _, n := range slices.Backward(all) {
		if kept < max(keep, 1) && readable(n) {
			oldest, kept = n, kept+1
		}
	}
	if kept < max(keep, 1) {
		return nil
	}
	for _, n := range all {
		if n < oldest {
			gone = append(gone, n)
		}
	}
	return gone
}
