package state

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/stream"
	"pgregory.net/rapid"
)

// kept is an entry of the model.
type kept struct {
	value   string
	expires int64
}

// model is a store written down plainly: maps, and a time for each group.
type model struct {
	groups []map[string]kept
	now    []int64
}

func newModel(groups int) *model {
	m := &model{now: make([]int64, groups)}
	for g := range groups {
		m.groups = append(m.groups, map[string]kept{})
		m.now[g] = minTime
	}
	return m
}

func (m *model) clone() *model {
	c := &model{now: slices.Clone(m.now)}
	for _, g := range m.groups {
		c.groups = append(c.groups, maps.Clone(g))
	}
	return c
}

func (m *model) value(g Group, key string) (string, bool) {
	k, ok := m.groups[g][key]
	if !ok || (k.expires != 0 && k.expires <= m.now[g]) {
		return "", false
	}
	return k.value, true
}

func (m *model) list(g Group, prefix string) (list []string) {
	for _, key := range slices.Sorted(maps.Keys(m.groups[g])) {
		if v, ok := m.value(g, key); ok && strings.HasPrefix(key, prefix) {
			list = append(list, key+"="+v)
		}
	}
	return list
}

type ranger interface {
	Range(g Group, prefix []byte, visit func(key, value []byte) bool)
}

func listOf(s ranger, g Group, prefix string, most int) (list []string) {
	s.Range(g, []byte(prefix), func(key, value []byte) bool {
		list = append(list, string(key)+"="+string(value))
		return len(list) < most
	})
	return list
}

const modelGroups = 3

func genKey() *rapid.Generator[string] {
	return rapid.Custom(func(r *rapid.T) string {
		k := rapid.StringOfN(rapid.RuneFrom([]rune("abc")), 0, 4, -1).Draw(r, "key")
		if rapid.IntRange(0, 30).Draw(r, "long") == 0 {
			k += strings.Repeat("k", rapid.SampledFrom([]int{250, 256, 9000, 70_000}).Draw(r, "pad"))
		}
		return k
	})
}

func genValue() *rapid.Generator[string] {
	return rapid.Custom(func(r *rapid.T) string {
		n := rapid.IntRange(0, 40).Draw(r, "n")
		if rapid.IntRange(0, 20).Draw(r, "long") == 0 {
			n = rapid.SampledFrom([]int{255, 256, 1000, 8192, 20_000, 65_535, 65_536, 200_000}).Draw(r, "large")
		}
		return strings.Repeat(string(rune('a'+rapid.IntRange(0, 25).Draw(r, "letter"))), n)
	})
}

// TestStoreIsAMap compares Memory and Staged with maps over random changes.
func TestStoreIsAMap(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		budget := NewBudget("vertex v", 0)
		store := NewMemory(modelGroups, budget)
		staged := NewStaged(store, "vertex v", 1<<24)
		applied := newModel(modelGroups) // what the store has
		seen := applied                  // what the call sees
		inCall := false
		group := func() Group { return Group(rapid.IntRange(0, modelGroups-1).Draw(r, "group")) }
		expires := func(g Group) int64 {
			if rapid.IntRange(0, 2).Draw(r, "timed") > 0 {
				return 0
			}
			return max(seen.now[g], -5) + rapid.Int64Range(1, 20).Draw(r, "ttl")
		}
		begin := func() {
			if !inCall {
				seen, inCall = applied.clone(), true
			}
		}
		r.Repeat(map[string]func(*rapid.T){
			"": func(r *rapid.T) { store.sound(r) },
			"put": func(r *rapid.T) {
				g, k, v := group(), genKey().Draw(r, "key"), genValue().Draw(r, "value")
				if inCall {
					r.Skip()
				}
				e := expires(g)
				if err := store.Put(g, []byte(k), []byte(v), e); err != nil {
					r.Fatal(err)
				}
				applied.groups[g][k] = kept{v, e}
			},
			"many": func(r *rapid.T) {
				g, n, size := group(), rapid.IntRange(0, 800).Draw(r, "n"), rapid.IntRange(0, 300).Draw(r, "size")
				if inCall {
					r.Skip()
				}
				for i := range n {
					k, v := fmt.Sprint("m", i), strings.Repeat("v", (size+i)%300)
					if err := store.Put(g, []byte(k), []byte(v), 0); err != nil {
						r.Fatal(err)
					}
					applied.groups[g][k] = kept{v, 0}
				}
			},
			"thin": func(r *rapid.T) {
				g, n := group(), rapid.IntRange(2, 10).Draw(r, "each")
				if inCall {
					r.Skip()
				}
				for i := range 800 {
					if k := fmt.Sprint("m", i); i%n != 0 {
						store.Delete(g, []byte(k))
						delete(applied.groups[g], k)
					}
				}
			},
			"delete": func(r *rapid.T) {
				g, k := group(), genKey().Draw(r, "key")
				if inCall {
					r.Skip()
				}
				store.Delete(g, []byte(k))
				delete(applied.groups[g], k)
			},
			"pass time": func(r *rapid.T) {
				g := group()
				if inCall {
					r.Skip()
				}
				now := max(applied.now[g], -5) + rapid.Int64Range(0, 10).Draw(r, "later")
				store.Expire(g, now)
				store.Expire(g, now-3)
				applied.now[g] = now
			},
			"look": func(r *rapid.T) {
				g, k := group(), genKey().Draw(r, "key")
				if !inCall {
					seen = applied
				}
				want, ok := seen.value(g, k)
				if got, found := staged.Value(g, []byte(k)); string(got) != want || found != ok {
					r.Fatalf("%q is %.20q, %v; want %.20q, %v", k, got, found, want, ok)
				}
			},
			"list": func(r *rapid.T) {
				g, prefix, most := group(), genKey().Draw(r, "prefix"), rapid.IntRange(1, 900).Draw(r, "most")
				if !inCall {
					seen = applied
				}
				want := seen.list(g, prefix)
				want = want[:min(len(want), most)]
				if got := listOf(staged, g, prefix, most); !slices.Equal(got, want) {
					r.Fatalf("%q lists %.200q, want %.200q", prefix, got, want)
				}
			},
			"stage": func(r *rapid.T) {
				begin()
				for range rapid.IntRange(1, 60).Draw(r, "n") {
					g, k := group(), genKey().Draw(r, "key")
					if rapid.IntRange(0, 3).Draw(r, "delete") == 0 {
						if err := staged.Delete(g, []byte(k)); err != nil {
							r.Fatal(err)
						}
						delete(seen.groups[g], k)
						continue
					}
					v, e := genValue().Draw(r, "value"), expires(g)
					if err := staged.Put(g, []byte(k), []byte(v), e); err != nil {
						r.Fatal(err)
					}
					seen.groups[g][k] = kept{v, e}
				}
			},
			"commit": func(r *rapid.T) {
				if err := staged.Commit(); err != nil {
					r.Fatal(err)
				}
				if inCall {
					applied, inCall = seen, false
				}
			},
			"discard": func(r *rapid.T) {
				staged.Discard()
				inCall = false
			},
			"move": func(r *rapid.T) {
				if inCall {
					r.Skip()
				}
				fresh := NewMemory(modelGroups, NewBudget("", 0))
				for g := range Group(modelGroups) {
					data := store.Snapshot(g, []byte("before"))[len("before"):]
					fresh.Expire(g, applied.now[g])
					if err := fresh.Restore(data); err != nil {
						r.Fatal(err)
					}
					if again := fresh.Snapshot(g, nil); len(again) > len(data) {
						r.Fatalf("a restored group is %d bytes, was %d", len(again), len(data))
					}
				}
				for g := range applied.groups {
					maps.DeleteFunc(applied.groups[g], func(_ string, k kept) bool { return k.expires != 0 && k.expires <= applied.now[g] })
				}
				store, staged = fresh, NewStaged(fresh, "vertex v", 1<<24)
			},
		})
	})
}

// TestFullStoreIsAMap compares Staged over a small budget with maps: a commit
// is whole or nothing, and a value that is no longer always goes in.
func TestFullStoreIsAMap(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		budget := NewBudget("vertex v", rapid.Int64Range(2_000, 60_000).Draw(r, "max"))
		store := NewMemory(modelGroups, budget)
		timers := NewTimers(modelGroups, budget)
		staged := NewStaged(store, "vertex v", 1<<20)
		applied, full := newModel(modelGroups), 0
		for range rapid.IntRange(1, 60).Draw(r, "calls") {
			seen, set := applied.clone(), 0
			longer := false
			for range rapid.IntRange(0, 30).Draw(r, "writes") {
				g, k := Group(rapid.IntRange(0, modelGroups-1).Draw(r, "group")), fmt.Sprint(rapid.IntRange(0, 200).Draw(r, "key"))
				switch rapid.IntRange(0, 7).Draw(r, "what") {
				case 0:
					_ = staged.Delete(g, []byte(k))
					delete(seen.groups[g], k)
				case 1:
					_ = staged.SetTimer(timers, g, rapid.Int64Range(0, 9).Draw(r, "at"), []byte(k), []byte("n"))
					set++
				default:
					v := strings.Repeat("x", rapid.SampledFrom([]int{0, 1, 8, 8, 8, 60, 700}).Draw(r, "size"))
					if old, ok := applied.groups[g][k]; !ok || len(v) > len(old.value) {
						longer = true
					}
					_ = staged.Put(g, []byte(k), []byte(v), 0)
					seen.groups[g][k] = kept{v, 0}
				}
			}
			switch err := staged.Commit(); {
			case err == nil:
				applied = seen
			case stream.CodeOf(err) != stream.StateFull:
				r.Fatal(err)
			case !longer && set == 0:
				r.Fatal("a call that makes nothing longer is refused: ", err)
			default:
				full++
			}
			for g := range Group(modelGroups) {
				if got, want := listOf(store, g, "", 1<<30), applied.list(g, ""); !slices.Equal(got, want) {
					r.Fatalf("after %d refusals group %d has %.200q, want %.200q", full, g, got, want)
				}
				store.groups[g].sound(r)
				timers.groups[g].sound(r)
				if room := store.groups[g].arena.purse.room; room != 0 {
					r.Fatalf("%d bytes stay reserved", room)
				}
			}
			if held := store.Usage().Held + timers.Usage().Held; held != budget.Held() {
				r.Fatalf("store and timers hold %d, the budget counts %d", held, budget.Held())
			}
		}
	})
}
