package storetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/checkpoint"
)

// Run tests what Store promises. Each call of open returns a new store of the
// same place, which may hold other objects; Run closes it.
func Run(t *testing.T, open func(t *testing.T) checkpoint.Store) {
	s := suite{open: func(t *testing.T) checkpoint.Store {
		store := open(t)
		t.Cleanup(func() { store.Close() })
		return store
	}}
	for _, c := range []struct {
		name string
		test func(*testing.T)
	}{
		{"what is stored can be read, also by another store of the place", s.reads},
		{"objects have from none to MaxObject bytes", s.sizes},
		{"the caller keeps its bytes", s.owns},
		{"create does not replace", s.creates},
		{"put replaces", s.puts},
		{"what is not there is not found", s.missing},
		{"names and sizes against the rules are refused", s.refuses},
		{"names of all kinds are kept apart", s.names},
		{"of racing creates exactly one succeeds", s.races},
		{"racing puts leave the whole object of one", s.overwrites},
		{"creates and deletes of neighbours do not disturb each other", s.neighbours},
		{"a listing has what begins with its prefix, in order", s.lists},
		{"thousands are listed in order and deleted", s.thousands},
		{"a listing can be left early", s.leaves},
		{"delete removes what it is told and nothing else", s.deletes},
		{"a context that has ended is obeyed", s.cancelled},
		{"a closed store gives errors", s.closed},
		{"the store passes the probe", s.probed},
	} {
		t.Run(c.name, c.test)
	}
}

// suite is a run of the tests.
type suite struct {
	open func(t *testing.T) checkpoint.Store
}

// place opens a store and makes up a folder that no other test uses.
func (s suite) place(t *testing.T) (store checkpoint.Store, folder string) {
	return s.open(t), "test-" + rand.Text() + "/"
}

func (s suite) reads(t *testing.T) {
	store, folder := s.place(t)
	put(t, store, folder+"a", []byte("one"))
	create(t, store, folder+"b/c", []byte("two"))
	for _, store := range []checkpoint.Store{store, s.open(t)} {
		holds(t, store, folder+"a", []byte("one"))
		holds(t, store, folder+"b/c", []byte("two"))
	}
}

func (s suite) sizes(t *testing.T) {
	store, folder := s.place(t)
	for _, size := range []int{0, 1, 2, 4095, 4096, 65537, 1 << 20, 5<<20 + 1, checkpoint.MaxObject} {
		data := make([]byte, size)
		rand.Read(data)
		for kind, write := range map[string]func(*testing.T, checkpoint.Store, string, []byte){"put": put, "create": create} {
			name := fmt.Sprint(folder, kind, "-", size)
			write(t, store, name, data)
			holds(t, store, name, data)
			if got := list(t, store, name); len(got) != 1 || got[0].Bytes != int64(size) || got[0].Changed.IsZero() {
				t.Errorf("%s is listed as %v", name, got)
			}
		}
	}
}

func (s suite) owns(t *testing.T) {
	store, folder := s.place(t)
	data := []byte("as it was")
	put(t, store, folder+"a", data)
	copy(data, "CHANGED..")
	holds(t, store, folder+"a", []byte("as it was"))
	got, err := store.Get(t.Context(), folder+"a")
	if err != nil {
		t.Fatal(err)
	}
	copy(got, "CHANGED..")
	holds(t, store, folder+"a", []byte("as it was"))
}

func (s suite) creates(t *testing.T) {
	store, folder := s.place(t)
	create(t, store, folder+"a", []byte("first"))
	for _, store := range []checkpoint.Store{store, s.open(t)} {
		if err := store.Create(t.Context(), folder+"a", []byte("second")); !errors.Is(err, checkpoint.ErrExists) {
			t.Errorf("a second create: %v, want ErrExists", err)
		}
	}
	holds(t, store, folder+"a", []byte("first"))

	put(t, store, folder+"b", []byte("by put"))
	if err := store.Create(t.Context(), folder+"b", nil); !errors.Is(err, checkpoint.ErrExists) {
		t.Errorf("a create after a put: %v, want ErrExists", err)
	}
	remove(t, store, folder+"a")
	create(t, store, folder+"a", []byte("third"))
	holds(t, store, folder+"a", []byte("third"))
}

func (s suite) puts(t *testing.T) {
	store, folder := s.place(t)
	for _, data := range []string{"first", "", "a longer third", "4"} {
		put(t, store, folder+"a", []byte(data))
		holds(t, store, folder+"a", []byte(data))
	}
	create(t, store, folder+"b", []byte("created"))
	put(t, store, folder+"b", []byte("replaced"))
	holds(t, store, folder+"b", []byte("replaced"))
}

func (s suite) missing(t *testing.T) {
	store, folder := s.place(t)
	put(t, store, folder+"a/b", []byte("there"))
	for _, name := range []string{folder + "c", folder + "a/c", folder + "a", folder + "a/b/c", folder + "x/y/z", strings.TrimSuffix(folder, "/")} {
		if data, err := store.Get(t.Context(), name); !errors.Is(err, checkpoint.ErrNotFound) || data != nil {
			t.Errorf("get %s: %q, %v, want ErrNotFound", name, data, err)
		}
	}
	if got := list(t, store, folder+"nothing"); len(got) != 0 {
		t.Errorf("a listing of nothing has %v", got)
	}
}

func (s suite) refuses(t *testing.T) {
	store, folder := s.place(t)
	for _, name := range []string{
		"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", ".a", "a/.b", "a b", "a\x00b", "a\nb", `a\b`, "a:b", "a%2fb", "ä",
		strings.Repeat("a", 129), strings.Repeat("abc/", 150) + "d",
	} {
		for doing, err := range map[string]error{
			"create": store.Create(t.Context(), name, nil),
			"put":    store.Put(t.Context(), name, nil),
			"get":    second(store.Get(t.Context(), name)),
			"delete": store.Delete(t.Context(), name),
		} {
			if err == nil || errors.Is(err, checkpoint.ErrNotFound) || errors.Is(err, checkpoint.ErrExists) {
				t.Errorf("%s %q: %v, want an error that says what is wrong", doing, name, err)
			}
		}
	}
	for _, prefix := range []string{"../", "/", "a/../", ".", folder + ".", folder + "\x00"} {
		if got := list(t, store, prefix); len(got) != 0 {
			t.Errorf("a listing of %q has %v", prefix, got)
		}
	}
	tooLong := make([]byte, checkpoint.MaxObject+1)
	for doing, err := range map[string]error{
		"create": store.Create(t.Context(), folder+"a", tooLong),
		"put":    store.Put(t.Context(), folder+"a", tooLong),
	} {
		if err == nil {
			t.Errorf("%s took an object of %d bytes", doing, len(tooLong))
		}
	}
	if got := list(t, store, folder); len(got) != 0 {
		t.Errorf("what was refused is stored: %v", got)
	}
}

func (s suite) names(t *testing.T) {
	store, folder := s.place(t)
	names := []string{
		"a", "aa", "a.b", "a-b", "a_b", "A0", "0", "-", "_", "--rf", "manifest.json", "x.tmp", "con", "a..b", "b/a", "b/a.a",
		"pipeline/epochs/00000000000000000001", strings.Repeat("n", 128), strings.Repeat("deep/", 60) + "end",
	}
	for _, name := range names {
		create(t, store, folder+name, []byte(name))
	}
	for _, name := range names {
		holds(t, store, folder+name, []byte(name))
	}
	if got := list(t, store, folder); len(got) != len(names) {
		t.Errorf("%d of %d objects are listed: %v", len(got), len(names), got)
	}
}

func (s suite) leaves(t *testing.T) {
	store, folder := s.place(t)
	for i := range 5 {
		put(t, store, fmt.Sprint(folder, "a/", i), nil)
	}
	var got []string
	for o, err := range store.List(t.Context(), folder) {
		if err != nil {
			t.Fatal(err)
		}
		if got = append(got, o.Name); len(got) == 2 {
			break
		}
	}
	if want := []string{folder + "a/0", folder + "a/1"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	put(t, store, folder+"after", nil)
}

func (s suite) deletes(t *testing.T) {
	store, folder := s.place(t)
	for _, name := range []string{"a", "ab", "b/a", "b/b", "c/d/e"} {
		put(t, store, folder+name, []byte(name))
	}
	remove(t, store)
	remove(t, store, folder+"a", folder+"a", folder+"b/a", folder+"nobody", folder+"c/d/e", folder+"b", folder+"ab/below")
	remove(t, store, folder+"a")
	var got []string
	for _, o := range list(t, store, folder) {
		got = append(got, strings.TrimPrefix(o.Name, folder))
	}
	if want := []string{"ab", "b/b"}; !slices.Equal(got, want) {
		t.Errorf("%v are left, want %v", got, want)
	}
	if err := store.Delete(t.Context(), folder+"ab", "../x"); err == nil {
		t.Error("a bad name among several was taken")
	}
	holds(t, store, folder+"ab", []byte("ab"))
}

func (s suite) cancelled(t *testing.T) {
	store, folder := s.place(t)
	put(t, store, folder+"a", []byte("kept"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var listed error
	for _, err := range store.List(ctx, folder) {
		listed = err
	}
	for doing, err := range map[string]error{
		"create": store.Create(ctx, folder+"b", nil),
		"put":    store.Put(ctx, folder+"a", []byte("replaced")),
		"get":    second(store.Get(ctx, folder+"a")),
		"list":   listed,
		"delete": store.Delete(ctx, folder+"a"),
		"probe":  checkpoint.Probe(ctx, store),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want context.Canceled", doing, err)
		}
	}
	holds(t, store, folder+"a", []byte("kept"))

	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	put(t, store, folder+"b", nil)
	listed = nil
	for _, err := range store.List(ctx, folder) {
		listed = err
		cancel()
	}
	if listed != nil && !errors.Is(listed, context.Canceled) {
		t.Errorf("a listing whose context ends: %v", listed)
	}
}

func (s suite) closed(t *testing.T) {
	store, folder := s.place(t)
	put(t, store, folder+"a", []byte("kept"))
	if err := store.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	var listed error
	for _, err := range store.List(t.Context(), folder) {
		listed = err
	}
	for doing, err := range map[string]error{
		"create": store.Create(t.Context(), folder+"b", nil),
		"put":    store.Put(t.Context(), folder+"a", nil),
		"get":    second(store.Get(t.Context(), folder+"a")),
		"list":   listed,
		"delete": store.Delete(t.Context(), folder+"a"),
	} {
		if err == nil || errors.Is(err, checkpoint.ErrNotFound) || errors.Is(err, checkpoint.ErrExists) {
			t.Errorf("%s after close: %v, want an error that is neither ErrNotFound nor ErrExists", doing, err)
		}
	}
	holds(t, s.open(t), folder+"a", []byte("kept"))
}

func (s suite) probed(t *testing.T) {
	store, _ := s.place(t)
	if err := checkpoint.Probe(t.Context(), store); err != nil {
		t.Fatal(err)
	}
	if got := list(t, store, "probe/"); len(got) != 0 {
		t.Errorf("the probe left %v", got)
	}
}

func second[T any](_ T, err error) error { return err }

func put(t *testing.T, store checkpoint.Store, name string, data []byte) {
	t.Helper()
	if err := store.Put(t.Context(), name, data); err != nil {
		t.Fatalf("put %s: %v", name, err)
	}
}

func create(t *testing.T, store checkpoint.Store, name string, data []byte) {
	t.Helper()
	if err := store.Create(t.Context(), name, data); err != nil {
		t.Fatalf("create %s: %v", name, err)
	}
}

func remove(t *testing.T, store checkpoint.Store, names ...string) {
	t.Helper()
	if err := store.Delete(t.Context(), names...); err != nil {
		t.Fatalf("delete %v: %v", names, err)
	}
}

func holds(t *testing.T, store checkpoint.Store, name string, want []byte) {
	t.Helper()
	got, err := store.Get(t.Context(), name)
	if err != nil {
		t.Fatalf("get %s: %v", name, err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("%s has %d bytes, %.40q, want %d, %.40q", name, len(got), got, len(want), want)
	}
}

func list(t *testing.T, store checkpoint.Store, prefix string) []checkpoint.Object {
	t.Helper()
	var objects []checkpoint.Object
	for o, err := range store.List(t.Context(), prefix) {
		if err != nil {
			t.Fatalf("list %q: %v", prefix, err)
		}
		objects = append(objects, o)
	}
	return objects
}
