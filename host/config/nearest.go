package config

import (
	"fmt"
	"strings"
)

// Nearest returns the word that was most likely meant: the closest one, if it
// is at most a third of its letters and three of them away. It looks at the
// first few hundred only.
func Nearest(word string, among []string) (string, bool) {
	best, found := "", false
	limit := max(1, min(3, len(word)/3))
	for _, w := range among[:min(len(among), 300)] {
		if d := distance(strings.ToLower(word), strings.ToLower(w), limit); d <= limit && d < len(w) {
			if best, found, limit = w, true, d-1; d == 0 {
				break
			}
		}
	}
	return best, found
}

// distance counts the letters to insert, delete, replace or swap with their
// neighbour to get from a to b (optimal string alignment, a restriction of
// Damerau 1964). Words whose lengths differ by more than limit are not compared.
func distance(a, b string, limit int) int {
	s, t := []rune(a), []rune(b)
	if d := len(s) - len(t); d > limit || -d > limit || max(len(s), len(t)) > maxKey {
		return limit + 1
	}
	var rows [3][maxKey + 1]int
	before, above, row := rows[0][:len(t)+1], rows[1][:len(t)+1], rows[2][:len(t)+1]
	for j := range row {
		row[j] = j
	}
	for i := range s {
		before, above, row = above, row, before
		row[0] = i + 1
		for j := range t {
			cost := 1
			if s[i] == t[j] {
				cost = 0
			}
			row[j+1] = min(above[j+1]+1, row[j]+1, above[j]+cost)
			if i > 0 && j > 0 && s[i] == t[j-1] && s[i-1] == t[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(t)]
}

// Suggest says what was probably meant, or else what there is.
func Suggest(word string, among []string) string {
	near, ok := Nearest(word, among)
	return didYouMean(near, ok, among)
}

func didYouMean(near string, ok bool, among []string) string {
	const most = 20
	switch rest := len(among) - most; {
	case ok:
		return fmt.Sprintf("did you mean %s?", near)
	case len(among) == 0:
		return "remove it"
	case rest > 0:
		return fmt.Sprintf("there are %s and %d more", strings.Join(among[:most], ", "), rest)
	case len(among) == 1:
		return "there is only " + among[0]
	}
	return "there are " + strings.Join(among, ", ")
}
