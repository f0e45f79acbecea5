package state

import (
	"encoding/binary"
	"testing"
)

// TestGroupsNeverChange pins hash version 1: a change here loses every
// snapshot. xxh64 of "" is ef46db37…, of "a" d24ec4f1… (xxHash specification).
func TestGroupsNeverChange(t *testing.T) {
	long := make([]byte, 1000)
	for i := range long {
		long[i] = byte(i)
	}
	for _, test := range []struct {
		key    string
		groups int
		want   Group
	}{
		{"", 128, 119}, {"", 65536, 0xef46}, {"a", 128, 105}, {"a", 65536, 0xd24e}, {"key", 128, 34}, {"key", 100, 26},
		{"user-1", 128, 80}, {"user-2", 128, 57}, {"\x00", 128, 116}, {string(long), 65536, 28404}, {"anything", 1, 0},
	} {
		if got := GroupOf([]byte(test.key), test.groups); got != test.want {
			t.Errorf("%.8q is in group %d of %d, not in %d", test.key, got, test.groups, test.want)
		}
	}
}

// TestGroupsAreEven deals 1.28 million counters out to 128 groups.
func TestGroupsAreEven(t *testing.T) {
	var n [DefaultGroups]int
	var key [8]byte
	for i := range 10_000 * DefaultGroups {
		binary.BigEndian.PutUint64(key[:], uint64(i))
		n[GroupOf(key[:], DefaultGroups)]++
	}
	for g, n := range n {
		if n < 9_500 || n > 10_500 {
			t.Errorf("group %d has %d of 1,280,000 keys", g, n)
		}
	}
}
