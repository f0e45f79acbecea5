package suite

// pair is an expected and an actual one that belong together, by index; -1 = there is
// none. They are as they should be, or else the nearest that there is.
type pair struct {
	want, got int
	equal     bool
}

// maxTable bounds the table of inOrder.
const maxTable = 4 << 20

// inOrder pairs two lists so that as many as possible are equal without crossing (the
// longest common subsequence). Those in between are paired one after the other.
func inOrder(wants, gots int, equal func(w, g int) bool) (pairs []pair) {
	begin := 0
	for begin < min(wants, gots) && equal(begin, begin) {
		pairs = append(pairs, pair{begin, begin, true})
		begin++
	}
	n, m := wants-begin, gots-begin
	if n*m > maxTable {
		return append(pairs, between(begin, wants, begin, gots)...)
	}
	matches := make([]bool, n*m)
	length := make([]int32, (n+1)*(m+1)) // of what is common from there on
	for i := n - 1; i >= 0; i-- {
		for j := m - 1; j >= 0; j-- {
			matches[i*m+j] = equal(begin+i, begin+j)
			at := i*(m+1) + j
			if length[at] = max(length[at+m+1], length[at+1]); matches[i*m+j] {
				length[at] = max(length[at], length[at+m+2]+1)
			}
		}
	}
	i, j, fromI, fromJ := 0, 0, 0, 0
	for i < n && j < m {
		at := i*(m+1) + j
		switch {
		case matches[i*m+j] && length[at] == length[at+m+2]+1:
			pairs = append(pairs, between(begin+fromI, begin+i, begin+fromJ, begin+j)...)
			pairs = append(pairs, pair{begin + i, begin + j, true})
			i, j = i+1, j+1
			fromI, fromJ = i, j
		case length[at+m+1] >= length[at+1]:
			i++
		default:
			j++
		}
	}
	return append(pairs, between(begin+fromI, wants, begin+fromJ, gots)...)
}

// between pairs what is left of both one after the other.
func between(want, wants, got, gots int) (pairs []pair) {
	for ; want < wants || got < gots; want, got = want+1, got+1 {
		p := pair{want, got, false}
		if want >= wants {
			p.want = -1
		}
		if got >= gots {
			p.got = -1
		}
		pairs = append(pairs, p)
	}
	return pairs
}

// inAnyOrder pairs two lists so that as many as possible are equal (augmenting paths,
// Kuhn 1955), and what is left by what is least different.
func inAnyOrder(wants, gots int, different func(w, g int) int) (pairs []pair) {
	of := make([]int, gots) // the one that each actual one is paired with
	for g := range of {
		of[g] = -1
	}
	var seen []bool
	var find func(w int) bool
	find = func(w int) bool {
		for g := range gots {
			if seen[g] || different(w, g) > 0 {
				continue
			}
			seen[g] = true
			if of[g] < 0 || find(of[g]) {
				of[g] = w
				return true
			}
		}
		return false
	}
	found := make([]int, wants)
	for w := range wants {
		seen = make([]bool, gots)
		find(w)
		found[w] = -1
	}
	for g, w := range of {
		if w >= 0 {
			found[w] = g
		}
	}
	for w, g := range found {
		p := pair{w, g, g >= 0}
		for other := range gots {
			if g < 0 && of[other] < 0 && (p.got < 0 || different(w, other) < different(w, p.got)) {
				p.got = other
			}
		}
		if p.got >= 0 {
			of[p.got] = w
		}
		pairs = append(pairs, p)
	}
	for g, w := range of {
		if w < 0 {
			pairs = append(pairs, pair{-1, g, false})
		}
	}
	return pairs
}
