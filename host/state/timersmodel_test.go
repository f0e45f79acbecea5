package state

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// timerModel is the time of each key and name of a group.
type timerModel []map[[2]string]int64

func (m timerModel) next(g Group) (least int64, ok bool) {
	for _, at := range m[g] {
		if !ok || at < least {
			least, ok = at, true
		}
	}
	return least, ok
}

// TestTimersAreAMap compares Timers with maps over random changes.
func TestTimersAreAMap(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		timers := NewTimers(modelGroups, NewBudget("vertex v", 0))
		model := make(timerModel, modelGroups)
		for g := range model {
			model[g] = map[[2]string]int64{}
		}
		group := func() Group { return Group(rapid.IntRange(0, modelGroups-1).Draw(r, "group")) }
		name := func() string { return rapid.StringOfN(rapid.RuneFrom([]rune("xy")), 0, 3, -1).Draw(r, "name") }
		set := func(g Group, at int64, key, name string) {
			if err := timers.Set(g, at, []byte(key), []byte(name)); err != nil {
				r.Fatal(err)
			}
			model[g][[2]string{key, name}] = at
		}
		r.Repeat(map[string]func(*rapid.T){
			"": func(r *rapid.T) {
				all, some := int64(0), false
				for g := range Group(modelGroups) {
					timers.groups[g].sound(r)
					at, ok := model.next(g)
					if got, found := timers.NextOf(g); found != ok || (ok && got != at) {
						r.Fatalf("the next timer of group %d is at %d, %v; want %d, %v", g, got, found, at, ok)
					}
					if ok && (!some || at < all) {
						all, some = at, true
					}
				}
				if got, found := timers.Next(); found != some || (some && got != all) {
					r.Fatalf("the next timer is at %d, %v; want %d, %v", got, found, all, some)
				}
			},
			"set": func(r *rapid.T) {
				for range rapid.IntRange(1, 50).Draw(r, "n") {
					set(group(), rapid.Int64Range(-50, 50).Draw(r, "at"), genKey().Draw(r, "key"), name())
				}
			},
			"set many": func(r *rapid.T) {
				g := group()
				for i := range rapid.IntRange(1, 150).Draw(r, "n") {
					set(g, int64(i*7919%600), fmt.Sprint("m", i), "")
				}
			},
			"delete": func(r *rapid.T) {
				g := group()
				for range rapid.IntRange(1, 20).Draw(r, "n") {
					k, n := genKey().Draw(r, "key"), name()
					timers.Delete(g, []byte(k), []byte(n))
					delete(model[g], [2]string{k, n})
				}
			},
			"due": func(r *rapid.T) {
				g, until := group(), rapid.Int64Range(-60, 60).Draw(r, "until")
				if rapid.IntRange(0, 4).Draw(r, "all") == 0 {
					until = 1 << 40
				}
				for {
					want, some := model.next(g)
					at, key, name, ok := timers.Due(g, until)
					if ok != (some && want <= until) {
						r.Fatalf("due until %d: %v, the next is at %d, %v", until, ok, want, some)
					}
					if !ok {
						break
					}
					id := [2]string{string(key), string(name)}
					if set, there := model[g][id]; !there || set != at || at != want {
						r.Fatalf("%q is due at %d; is set %v at %d, and the next is at %d", id, at, there, set, want)
					}
					delete(model[g], id)
				}
			},
			"move": func(r *rapid.T) {
				fresh := NewTimers(modelGroups, NewBudget("", 0))
				for g := range Group(modelGroups) {
					if err := fresh.Restore(timers.Snapshot(g, nil)); err != nil {
						r.Fatal(err)
					}
				}
				timers = fresh
			},
		})
	})
}

// TestPutOffTimers moves every timer later again and again: the heap stays as
// small as the number of timers, and each comes once, in order.
func TestPutOffTimers(t *testing.T) {
	timers := NewTimers(1, NewBudget("", 0))
	for round := range int64(50) {
		for i := range 1000 {
			if err := timers.Set(0, round*100+int64(i%100), fmt.Append(nil, i), nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	timers.groups[0].sound(t)
	var times []int64
	for {
		at, _, _, ok := timers.Due(0, 1<<40)
		if !ok {
			break
		}
		times = append(times, at)
	}
	if len(times) != 1000 || !slices.IsSorted(times) || times[0] != 4900 {
		t.Errorf("%d timers from %d on, sorted: %v", len(times), times[0], slices.IsSorted(times))
	}
}
