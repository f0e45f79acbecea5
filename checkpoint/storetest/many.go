package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/wasmill/wasmill/checkpoint"
)

// Racing tests use this many sides, and repeat so often.
const (
	sides  = 16
	rounds = 8
)

func (s suite) races(t *testing.T) {
	store, folder := s.place(t)
	stores := []checkpoint.Store{store, s.open(t)}
	for round := range rounds {
		// The first rounds make the folder, too.
		name := fmt.Sprint(folder, round%2, "/", round)
		errs := together(func(side int) error {
			return stores[side%2].Create(t.Context(), name, body(side))
		})
		winner := -1
		for side, err := range errs {
			switch {
			case err == nil && winner >= 0:
				t.Errorf("round %d: %d and %d succeeded", round, winner, side)
			case err == nil:
				winner = side
			case !errors.Is(err, checkpoint.ErrExists):
				t.Errorf("round %d: %v, want ErrExists", round, err)
			}
		}
		if winner < 0 {
			t.Fatalf("round %d: nobody succeeded", round)
		}
		for _, store := range stores {
			holds(t, store, name, body(winner))
		}
	}
}

func (s suite) overwrites(t *testing.T) {
	store, folder := s.place(t)
	stores := []checkpoint.Store{store, s.open(t)}
	put(t, store, folder+"a", body(0))
	errs := together(func(side int) error {
		if side%4 != 0 {
			return stores[side%2].Put(t.Context(), folder+"a", body(side))
		}
		data, err := stores[side%2].Get(t.Context(), folder+"a")
		if err == nil && !whole(data) {
			err = fmt.Errorf("read a mixture of %d bytes", len(data))
		}
		return err
	})
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
	if data, err := store.Get(t.Context(), folder+"a"); err != nil || !whole(data) {
		t.Errorf("a mixture of %d bytes is left: %v", len(data), err)
	}
}

// neighbours lets objects of the same folders come and go.
func (s suite) neighbours(t *testing.T) {
	store, folder := s.place(t)
	stores := []checkpoint.Store{store, s.open(t)}
	errs := together(func(side int) error {
		store := stores[side%2]
		for round := range rounds {
			name := fmt.Sprint(folder, "a/b/", side, "-", round)
			if err := store.Create(t.Context(), name, body(side)); err != nil {
				return fmt.Errorf("create %s: %w", name, err)
			}
			if err := store.Delete(t.Context(), name); err != nil {
				return fmt.Errorf("delete %s: %w", name, err)
			}
		}
		return nil
	})
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
	if got := list(t, store, folder); len(got) != 0 {
		t.Errorf("%v are left", got)
	}
}

func (s suite) lists(t *testing.T) {
	store, folder := s.place(t)
	names := []string{"a-/x", "a-b", "a.b", "a.c/x", "a/-", "a/0/x", "a/b", "a/b.c", "a0", "a0/x-", "aB", "a_", "aa", "b/1", "b/10", "b/2"}
	slices.Sort(names)
	names = slices.DeleteFunc(names, func(n string) bool { return n == "a0" }) // a folder has this name
	for _, i := range []int{7, 3, 11, 0, 14, 5, 1, 9, 13, 2, 8, 4, 12, 10, 6} {
		put(t, store, folder+names[i], []byte(names[i]))
	}
	for _, prefix := range []string{"", "a", "a-", "a/", "a/b", "a/b.", "a.", "a0", "b/1", "b/10", "b", "c", "a/0/", "a/0/x", "a/0/x/"} {
		var want, got []string
		for _, name := range names {
			if strings.HasPrefix(name, prefix) {
				want = append(want, name)
			}
		}
		for _, o := range list(t, store, folder+prefix) {
			got = append(got, strings.TrimPrefix(o.Name, folder))
		}
		if !slices.Equal(got, want) {
			t.Errorf("prefix %q: got %v, want %v", prefix, got, want)
		}
	}
}

func (s suite) thousands(t *testing.T) {
	const objects = 2500 // more than two pages of S3
	store, folder := s.place(t)
	var names []string
	for i := range objects {
		names = append(names, fmt.Sprintf("%s%020d/%d", folder, i/100, i))
	}
	errs := together(func(side int) error {
		for i := side; i < objects; i += sides {
			if err := store.Put(t.Context(), names[i], []byte(names[i])); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	listed := func() (got []string) {
		for _, o := range list(t, store, folder) {
			got = append(got, o.Name)
		}
		return got
	}
	want := slices.Sorted(slices.Values(names))
	if got := listed(); !slices.Equal(got, want) {
		t.Fatalf("%d objects are listed or their order is wrong, want %d", len(got), len(want))
	}
	remove(t, store, names[:objects-1]...)
	if got := listed(); !slices.Equal(got, names[objects-1:]) {
		t.Errorf("after deletes %d are listed, want 1", len(got))
	}
}

// together calls work from all sides at the same time.
func together(work func(side int) error) []error {
	errs := make([]error, sides)
	start := make(chan struct{})
	var all sync.WaitGroup
	for side := range sides {
		all.Go(func() {
			<-start
			errs[side] = work(side)
		})
	}
	close(start)
	all.Wait()
	return errs
}

// body is what a side stores: of a length and a byte of its own.
func body(side int) []byte { return bytes.Repeat([]byte{byte('a' + side)}, 10_000+side*1_000) }

// whole reports whether data is one body.
func whole(data []byte) bool {
	return len(data) > 0 && bytes.Equal(data, body(int(data[0]-'a')))
}
