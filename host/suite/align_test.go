package suite

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestPairsAreComplete holds both ways of pairing to what a pairing is, and to pair as
// many equals as there can be, on lists so short that all of it can be tried.
func TestPairsAreComplete(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		few := rapid.SliceOfN(rapid.IntRange(0, 3), 0, 7)
		wants, gots := few.Draw(t, "wants"), few.Draw(t, "gots")
		// 0 expects anything, so that one may fit several; others themselves.
		equal := func(w, g int) bool { return wants[w] == 0 || wants[w] == gots[g] }
		different := func(w, g int) int {
			if equal(w, g) {
				return 0
			}
			return 1
		}
		ordered := inOrder(len(wants), len(gots), equal)
		free := inAnyOrder(len(wants), len(gots), different)
		for name, pairs := range map[string][]pair{"in order": ordered, "in any order": free} {
			var w, g []int
			for _, p := range pairs {
				if p.want >= 0 {
					w = append(w, p.want)
				}
				if p.got >= 0 {
					g = append(g, p.got)
				}
				if p.want < 0 && p.got < 0 || p.equal && !equal(p.want, p.got) {
					t.Fatalf("%s: pair %+v", name, p)
				}
			}
			if name == "in order" && (!slices.IsSorted(w) || !slices.IsSorted(g)) {
				t.Fatalf("%s: %v", name, pairs)
			}
			slices.Sort(w)
			slices.Sort(g)
			if len(slices.Compact(w)) != len(wants) || len(slices.Compact(g)) != len(gots) {
				t.Fatalf("%s: something is missing or there twice: %v", name, pairs)
			}
		}
		if got, want := equals(ordered), common(wants, gots, equal, 0, 0); got != want {
			t.Errorf("in order %d are equal, and %d can be: %v", got, want, ordered)
		}
		if got, want := equals(free), most(len(wants), len(gots), equal, 0, 0); got != want {
			t.Errorf("in any order %d are equal, and %d can be: %v", got, want, free)
		}
	})
}

func equals(pairs []pair) (n int) {
	for _, p := range pairs {
		if p.equal {
			n++
		}
	}
	return n
}

// common is the longest common subsequence, by trying.
func common(wants, gots []int, equal func(w, g int) bool, w, g int) int {
	if w == len(wants) || g == len(gots) {
		return 0
	}
	n := max(common(wants, gots, equal, w+1, g), common(wants, gots, equal, w, g+1))
	if equal(w, g) {
		n = max(n, 1+common(wants, gots, equal, w+1, g+1))
	}
	return n
}

// most is the largest matching, by trying; used has a bit for each that is taken.
func most(wants, gots int, equal func(w, g int) bool, w int, used uint) int {
	if w == wants {
		return 0
	}
	n := most(wants, gots, equal, w+1, used)
	for g := range gots {
		if used>>g&1 == 0 && equal(w, g) {
			n = max(n, 1+most(wants, gots, equal, w+1, used|1<<g))
		}
	}
	return n
}
