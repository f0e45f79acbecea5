package state

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// savedPart is a part as a checkpoint keeps it.
type savedPart struct {
	from, to int
	full     bool
	data     []byte
}

// chainOf returns the parts that a checkpoint refers to after further ones.
func chainOf(before []savedPart, parts ...savedPart) []savedPart {
	chain := slices.Clone(before)
	for _, p := range parts {
		if p.full {
			chain = slices.DeleteFunc(chain, func(old savedPart) bool { return old.from == p.from })
		}
		chain = append(chain, p)
	}
	return chain
}

var errStopped = errors.New("the reader stops")

// steps gives the parts of a view one by one.
func steps(f failer, v *Frozen) (next func() (savedPart, bool), stop func()) {
	return iter.Pull(func(yield func(savedPart) bool) {
		err := v.Parts(func(from, to int, full bool, entries int, data []byte) error {
			if p, err := readPart(data, v.groups); err != nil || p.from != from || p.to != to || (p.kind == 0) != full || int(p.entries) != entries {
				f.Fatalf("a part of %d to %d, full: %v, of %d entries is %+v, %v", from, to, full, entries, p, err)
			} else if len(data) > v.history.size && entries > 1 {
				f.Fatalf("a part has %d entries in %d bytes of at most %d", entries, len(data), v.history.size)
			}
			if !yield(savedPart{from, to, full, bytes.Clone(data)}) {
				return errStopped
			}
			return nil
		})
		if err != nil && err != errStopped {
			f.Fatalf("%v", err)
		}
	})
}

// view is one that is being read, and what it has to give.
type view struct {
	frozen *Frozen
	next   func() (savedPart, bool)
	stop   func()
	parts  []savedPart
	ended  bool
}

func newView(f failer, v *Frozen) *view {
	next, stop := steps(f, v)
	return &view{frozen: v, next: next, stop: stop}
}

func (v *view) read(n int) {
	for ; n > 0 && !v.ended; n-- {
		p, ok := v.next()
		if v.ended = !ok; ok {
			v.parts = append(v.parts, p)
		}
	}
}

// release releases a view, and returns the chain of the last checkpoint and
// whether this one has become it.
func (v *view) release(saved bool, chain []savedPart) ([]savedPart, bool) {
	v.stop()
	v.frozen.Release(saved)
	if !saved || !v.ended {
		return chain, false
	}
	return chainOf(chain, v.parts...), true
}

// TestFreezeIsAMoment restores what views of a store give, read while it changes,
// and compares it with what the store had when they were taken.
func TestFreezeIsAMoment(t *testing.T) {
	const groups = 5
	rapid.Check(t, func(r *rapid.T) {
		size := rapid.SampledFrom([]int{60, 500, 20_000, partSize}).Draw(r, "part size")
		budget := NewBudget("v", 0)
		fresh := func() *Memory {
			m := NewMemory(groups, budget)
			m.Split(2)
			m.history.size = size
			return m
		}
		store, applied := fresh(), newModel(groups)
		var open *view
		var frozen, saved *model // of the open view, and of the chain
		var chain []savedPart
		check := func(r *rapid.T, parts []savedPart, want *model) *Memory {
			got := NewMemory(groups, NewBudget("", 0))
			got.Split(2)
			got.history.size = size
			for _, p := range parts {
				if err := got.Restore(p.data); err != nil {
					r.Fatal(err)
				}
			}
			got.sound(r)
			for g := range Group(groups) {
				got.Expire(g, want.now[g])
				if has, want := listOf(got, g, "", 1<<30), want.list(g, ""); !slices.Equal(has, want) {
					r.Fatalf("group %d is restored as %.300q, was %.300q", g, has, want)
				}
			}
			return got
		}
		group := func() Group { return Group(rapid.IntRange(0, groups-1).Draw(r, "group")) }
		key := func(r *rapid.T) string {
			if rapid.Bool().Draw(r, "any") {
				return genKey().Draw(r, "key")
			}
			return fmt.Sprint("m", rapid.IntRange(0, 60).Draw(r, "m"))
		}
		put := func(g Group, k, v string, e int64) {
			if err := store.Put(g, []byte(k), []byte(v), e); err != nil {
				r.Fatal(err)
			}
			applied.groups[g][k] = kept{v, e}
		}
		del := func(g Group, k string) {
			store.Delete(g, []byte(k))
			delete(applied.groups[g], k)
		}
		edited := func(g Group, k string, value []byte, to byte) {
			if _, ok := applied.value(g, k); ok != (value != nil) {
				r.Fatalf("%q is found: %v", k, value)
			}
			if len(value) > 0 {
				value[len(value)-1] = to
				applied.groups[g][k] = kept{string(value), applied.groups[g][k].expires}
			}
		}
		r.Repeat(map[string]func(*rapid.T){
			"": func(r *rapid.T) { store.sound(r) },
			"put": func(r *rapid.T) {
				for range rapid.IntRange(1, 5).Draw(r, "n") {
					g, e := group(), int64(0)
					if rapid.IntRange(0, 2).Draw(r, "timed") == 0 {
						e = max(applied.now[g], -5) + rapid.Int64Range(1, 20).Draw(r, "ttl")
					}
					put(g, key(r), genValue().Draw(r, "value"), e)
				}
			},
			"many": func(r *rapid.T) {
				g, n, size := group(), rapid.IntRange(0, 300).Draw(r, "n"), rapid.IntRange(0, 300).Draw(r, "size")
				for i := range n {
					put(g, fmt.Sprint("m", i), strings.Repeat("v", (size+i)%300), 0)
				}
			},
			"thin": func(r *rapid.T) {
				g, n := group(), rapid.IntRange(2, 10).Draw(r, "each")
				for i := range 300 {
					if i%n != 0 {
						del(g, fmt.Sprint("m", i))
					}
				}
			},
			"delete": func(r *rapid.T) {
				for range rapid.IntRange(1, 5).Draw(r, "n") {
					del(group(), key(r))
				}
			},
			"edit": func(r *rapid.T) {
				g, k := group(), key(r)
				value, ok := store.Edit(g, []byte(k))
				if ok && value == nil {
					r.Fatal("an edited value is nil")
				}
				edited(g, k, value, rapid.Byte().Draw(r, "to"))
			},
			"find": func(r *rapid.T) {
				n := rapid.IntRange(1, 80).Draw(r, "n")
				in, keys, values := make([]Group, n), make([][]byte, n), make([][]byte, n)
				for i := range n {
					in[i], keys[i] = group(), []byte(key(r))
				}
				store.Find(in, keys, values)
				for i, value := range values {
					edited(in[i], string(keys[i]), value, byte(i))
				}
			},
			"pass time": func(r *rapid.T) {
				g := group()
				applied.now[g] = max(applied.now[g], -5) + rapid.Int64Range(0, 10).Draw(r, "later")
				store.Expire(g, applied.now[g])
			},
			"list": func(r *rapid.T) {
				g := group()
				if got, want := listOf(store, g, "", 1<<30), applied.list(g, ""); !slices.Equal(got, want) {
					r.Fatalf("group %d lists %.200q, want %.200q", g, got, want)
				}
			},
			"freeze": func(r *rapid.T) {
				if open == nil {
					frozen = applied.clone()
					open = newView(r, store.Freeze(rapid.IntRange(0, 5).Draw(r, "full") == 0))
				}
			},
			"read": func(r *rapid.T) {
				if open != nil {
					open.read(rapid.IntRange(1, 3).Draw(r, "n"))
				}
			},
			"release": func(r *rapid.T) {
				if open == nil {
					return
				}
				if rapid.IntRange(0, 4).Draw(r, "whole") > 0 {
					open.read(1 << 30)
					check(r, chainOf(chain, open.parts...), frozen)
				}
				var ok bool
				if chain, ok = open.release(rapid.Bool().Draw(r, "saved"), chain); ok {
					saved = frozen
				}
				open = nil
			},
			"start again": func(r *rapid.T) {
				if open != nil || saved == nil || rapid.IntRange(0, 3).Draw(r, "now") > 0 {
					return
				}
				store = check(r, chain, saved)
				applied, budget = saved.clone(), store.budget
			},
		})
		if open != nil {
			open.read(1 << 30)
			check(r, chainOf(chain, open.parts...), frozen)
			open.release(true, nil)
			store.Freeze(false).Release(false)
			for g := range groups {
				store.groups[g].arena.unfollow()
			}
			if n := store.history.copies.Load(); n != 0 {
				r.Fatalf("%d bytes of clones and notes stay", n)
			}
		}
	})
}

// TestFrozenTimersAreOfAMoment is that test for timers.
func TestFrozenTimersAreOfAMoment(t *testing.T) {
	const groups = 3
	rapid.Check(t, func(r *rapid.T) {
		size := rapid.SampledFrom([]int{60, 500, partSize}).Draw(r, "part size")
		fresh := func() *Timers {
			timers := NewTimers(groups, NewBudget("v", 0))
			timers.Split(2)
			timers.history.size = size
			return timers
		}
		empty := func() (m timerModel) {
			for range groups {
				m = append(m, map[[2]string]int64{})
			}
			return m
		}
		clone := func(m timerModel) timerModel {
			c := empty()
			for g := range m {
				for id, at := range m[g] {
					c[g][id] = at
				}
			}
			return c
		}
		timers, model := fresh(), empty()
		due := func(r *rapid.T, timers *Timers, model timerModel, g Group, until int64) {
			for {
				want, some := model.next(g)
				at, key, name, ok := timers.Due(g, until)
				if ok != (some && want <= until) {
					r.Fatalf("due until %d: %v, the next is at %d, %v", until, ok, want, some)
				}
				if !ok {
					return
				}
				id := [2]string{string(key), string(name)}
				if set, there := model[g][id]; !there || set != at || at != want {
					r.Fatalf("%q is due at %d; is set %v at %d, and the next is at %d", id, at, there, set, want)
				}
				delete(model[g], id)
			}
		}
		var open *view
		var frozen, saved timerModel
		var chain []savedPart
		restored := func(r *rapid.T, parts []savedPart) *Timers {
			got := fresh()
			for _, p := range parts {
				if err := got.Restore(p.data); err != nil {
					r.Fatal(err)
				}
			}
			got.sound(r)
			return got
		}
		check := func(r *rapid.T, parts []savedPart, want timerModel) {
			got, want := restored(r, parts), clone(want)
			for g := range Group(groups) {
				due(r, got, want, g, 1<<40)
			}
		}
		group := func() Group { return Group(rapid.IntRange(0, groups-1).Draw(r, "group")) }
		name := func() string { return rapid.StringOfN(rapid.RuneFrom([]rune("xy")), 0, 3, -1).Draw(r, "name") }
		set := func(g Group, at int64, key, name string) {
			if err := timers.Set(g, at, []byte(key), []byte(name)); err != nil {
				r.Fatal(err)
			}
			model[g][[2]string{key, name}] = at
		}
		r.Repeat(map[string]func(*rapid.T){
			"": func(r *rapid.T) { timers.sound(r) },
			"set": func(r *rapid.T) {
				for range rapid.IntRange(1, 10).Draw(r, "n") {
					set(group(), rapid.Int64Range(-50, 50).Draw(r, "at"), genKey().Draw(r, "key"), name())
				}
			},
			"set many": func(r *rapid.T) {
				g, step := group(), rapid.IntRange(1, 8000).Draw(r, "step")
				for i := range rapid.IntRange(1, 150).Draw(r, "n") {
					set(g, int64(i*step%600), fmt.Sprint("m", i), "")
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
			"due": func(r *rapid.T) { due(r, timers, model, group(), rapid.Int64Range(-60, 700).Draw(r, "until")) },
			"freeze": func(r *rapid.T) {
				if open == nil {
					frozen = clone(model)
					open = newView(r, timers.Freeze(rapid.IntRange(0, 5).Draw(r, "full") == 0))
				}
			},
			"read": func(r *rapid.T) {
				if open != nil {
					open.read(rapid.IntRange(1, 3).Draw(r, "n"))
				}
			},
			"release": func(r *rapid.T) {
				if open == nil {
					return
				}
				if rapid.IntRange(0, 4).Draw(r, "whole") > 0 {
					open.read(1 << 30)
					check(r, chainOf(chain, open.parts...), frozen)
				}
				var ok bool
				if chain, ok = open.release(rapid.Bool().Draw(r, "saved"), chain); ok {
					saved = frozen
				}
				open = nil
			},
			"start again": func(r *rapid.T) {
				if open == nil && saved != nil && rapid.IntRange(0, 3).Draw(r, "now") == 0 {
					timers, model = restored(r, chain), clone(saved)
				}
			},
		})
	})
}
