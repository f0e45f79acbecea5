package instance

import "testing"

func TestTheStartOfAProcessIsRead(t *testing.T) {
	const rest = " 1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 98765 1 2 3"
	for _, c := range []struct {
		name, stat, start string
		ok                bool
	}{
		{"a plain name", "7 (wasmill) S" + rest, "98765", true},
		{"a name with brackets and spaces", "7 (a) Z (b) R" + rest, "98765", true},
		{"one that its parent has not waited for", "7 (wasmill) Z" + rest, "", false},
		{"one that is going", "7 (wasmill) X" + rest, "", false},
		{"too few fields", "7 (wasmill) S 1 1", "", false},
		{"nothing", "", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if start, ok := startIn([]byte(c.stat)); start != c.start || ok != c.ok {
				t.Errorf("%q, %v", start, ok)
			}
		})
	}
}
