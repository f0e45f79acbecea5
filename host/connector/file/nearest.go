package file

import "unicode/utf8"

// nearest returns the name with the fewest edits from want, if it is near
// enough to be a slip of the fingers.
func nearest(want string, names []string) (string, bool) {
	best, found := 1+max(1, utf8.RuneCountInString(want)/3), ""
	for _, name := range names {
		if d := distance([]rune(want), []rune(name)); d < best {
			best, found = d, name
		}
	}
	return found, found != ""
}

// distance is that of Levenshtein: insertions, deletions and substitutions.
func distance(a, b []rune) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i, x := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j, y := range b {
			cost := diagonal
			if x != y {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
