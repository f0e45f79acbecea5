package main

import (
	"bytes"
	"slices"
)

// press does what was typed. It says whether that ends top.
func (v *topView) press(typed []byte) (quit bool) {
	for len(typed) > 0 {
		n := 1
		if arrow, size := arrowOf(typed); size > 0 {
			v.scroll(arrow)
			n = size
		} else {
			switch typed[0] {
			case 'q', 'Q', 3: // and Ctrl-C, which is no signal here
				return true
			case 'p', ' ':
				v.frozen = !v.frozen
			case 's':
				v.sortNext()
			case 'r':
				v.reversed = !v.reversed
			case 'k':
				v.scroll(-1)
			case 'j':
				v.scroll(1)
			}
		}
		typed = typed[n:]
	}
	return false
}

// scroll moves what is shown by some lines. A frame keeps it in bounds.
func (v *topView) scroll(lines int) { v.skip = max(0, v.skip+lines) }

// sortNext sorts by the next column that can be sorted by; behind the last by none.
func (v *topView) sortNext() {
	columns := topColumns()
	next := slices.IndexFunc(columns[v.order+1:], func(c topColumn) bool { return c.value != nil })
	if v.order += next + 1; next < 0 {
		v.order = 0
	}
}

// arrowOf returns by how many lines the key scrolls with which the text begins, and how
// many bytes it is; 0 = it is no such key.
func arrowOf(typed []byte) (lines, size int) {
	for key, lines := range map[string]int{"\x1b[A": -1, "\x1bOA": -1, "\x1b[B": 1, "\x1bOB": 1, "\x1b[5~": -10, "\x1b[6~": 10} {
		if bytes.HasPrefix(typed, []byte(key)) {
			return lines, len(key)
		}
	}
	return 0, 0
}
