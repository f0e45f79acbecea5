package window

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// TestKeysOfAnySize has the shortest key, and one of 1 MiB.
func TestKeysOfAnySize(t *testing.T) {
	long := strings.Repeat("k", 1<<20)
	for what, spec := range map[string]Spec{
		"fixed":   {Kind: Fixed, Size: 100, Lateness: 10},
		"sliding": {Kind: Sliding, Size: 100, Slide: 50},
		"session": {Kind: Session, Gap: 100},
		"global":  {Kind: Global},
	} {
		bothWays(t, what, spec, 64<<20, func(c *counting) {
			for _, key := range []string{"", long, long[1:], "k"} {
				if !c.add(key, 10, 20) || !c.add(key, 15) {
					c.Fatalf("no room for a key of %d bytes", len(key))
				}
			}
			counts := map[string]int{}
			for _, r := range c.advance(int64(endOfTime)) {
				counts[r.key] = max(counts[r.key], r.count)
			}
			if len(counts) != 4 || counts[""] != 3 || counts[long] != 3 || counts[long[1:]] != 3 || counts["k"] != 3 {
				for key, n := range counts {
					c.Errorf("a key of %d bytes was counted %d times", len(key), n)
				}
			}
			if !c.empty() {
				c.Error("something is left in the end")
			}
		})
	}
}

// TestAFullStateClosesItsWindows fills the state, and counts on for the keys that are
// in it. As time passes what is there gives its results, with the lateness and without.
func TestAFullStateClosesItsWindows(t *testing.T) {
	for what, spec := range map[string]Spec{
		"fixed":                  {Kind: Fixed, Size: 100},
		"fixed, with a lateness": {Kind: Fixed, Size: 100, Lateness: 50},
		"sliding":                {Kind: Sliding, Size: 100, Slide: 50, Lateness: 10},
		"session":                {Kind: Session, Gap: 100, Lateness: 10},
		"global":                 {Kind: Global},
	} {
		bothWays(t, what, spec, 96<<10, func(c *counting) {
			want := map[string]int{}
			for i := range 5000 {
				key := fmt.Sprint("key ", i)
				if i < 8 { // what short ones leave is no room for another of these
					key += strings.Repeat("x", 1000)
				}
				if c.add(key, 60) {
					want[key] = 1
				}
			}
			if len(want) < 100 || len(want) == 5000 {
				c.Fatalf("%d keys had room", len(want))
			}
			for key := range want {
				if !c.add(key, 60, 60) {
					c.Fatalf("%s is there, and has no room", key)
				}
				want[key] = 3
			}
			got := map[string]int{}
			for _, now := range []int64{100, 150, 200, 300, int64(endOfTime)} {
				for _, r := range c.advance(now) {
					got[r.key] = max(got[r.key], r.count)
				}
			}
			if len(got) != len(want) {
				c.Errorf("%d keys have results, want %d", len(got), len(want))
			}
			for key, n := range want {
				if got[key] != n {
					c.Errorf("%s was counted %d times, want %d", key, got[key], n)
				}
			}
			if !c.empty() {
				c.Error("something is left in the end")
			}
			if !c.add("another key", math.MaxInt64-5) && spec.Kind != Global {
				c.Error("there is no room after the end of what filled it")
			}
		})
	}
}
