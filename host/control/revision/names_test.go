package revision

import (
	"slices"
	"testing"
)

func TestNames(t *testing.T) {
	for _, n := range []Number{1, 42, 9_999_999_999, 10_000_000_000, 1<<64 - 1} {
		if got, ok := numberOf(nameOf(n)); !ok || got != n {
			t.Errorf("%s is of %d, %v", nameOf(n), got, ok)
		}
	}
	for _, name := range []string{"", "1.revision", "0000000000.revision", "0000000001.revision.bak", "000000000x.revision", "00000000001.revision", ".tmp-x.revision", "notes"} {
		if n, ok := numberOf(name); ok {
			t.Errorf("%s is taken for revision %d", name, n)
		}
	}
	if got := numbersOf([]string{nameOf(10_000_000_000), "x", nameOf(9), nameOf(10)}); !slices.Equal(got, []Number{9, 10, 10_000_000_000}) {
		t.Errorf("the numbers are %v", got)
	}
}

func TestTheLastThatCanBeReadStay(t *testing.T) {
	for _, c := range []struct {
		name         string
		all, damaged []Number
		keep         int
		gone         []Number
	}{
		{"with few, all stay", []Number{3, 4}, nil, 2, nil},
		{"with more, the oldest go", []Number{3, 4, 5, 9}, nil, 2, []Number{3, 4}},
		{"the last good one stays behind damaged ones", []Number{3, 4, 5, 6}, []Number{5, 6}, 1, []Number{3}},
		{"damaged ones go with those around them", []Number{2, 3, 4, 5}, []Number{3}, 2, []Number{2, 3}},
		{"if too few can be read, all stay", []Number{2, 3, 4}, []Number{2, 3}, 2, nil},
		{"one stays always", []Number{1, 2}, nil, 0, []Number{1}},
		{"of nothing, nothing goes", nil, nil, 3, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := surplus(c.all, func(n Number) bool { return !slices.Contains(c.damaged, n) }, c.keep)
			if !slices.Equal(got, c.gone) {
				t.Errorf("%v go, want %v", got, c.gone)
			}
		})
	}
}
