package s3_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/checkpoint/storetest/s3server"
	"github.com/wasmill/wasmill/host/stream"
)

// What becomes of a create when the store answers late, wrongly or not at all.
func TestCreateKnowsItsOwnObject(t *testing.T) {
	lose := s3server.Fault{Lose: true}
	down := s3server.Fault{Status: http.StatusServiceUnavailable, Code: "SlowDown"}
	conflict := s3server.Fault{Status: http.StatusConflict, Code: "ConditionalRequestConflict"}
	for _, c := range []struct {
		name  string
		there string // what another writer has stored
		put   []s3server.Fault
		get   []s3server.Fault
		want  error
		puts  int
	}{
		{name: "a lost answer and then its own 412", put: []s3server.Fault{lose}, puts: 2},
		{name: "lost answers and no other", put: []s3server.Fault{lose, lose, lose, lose}, puts: 4},
		{name: "a lost answer, then trouble until the end", put: []s3server.Fault{lose, down, down, down}, puts: 4},
		{name: "a lost answer, and trouble when reading back", put: []s3server.Fault{lose}, get: []s3server.Fault{down, {Drop: true}, {Cut: 3}}, puts: 2},
		{name: "a 503 before it", put: []s3server.Fault{down}, puts: 2},
		{name: "a connection that is cut", put: []s3server.Fault{{Drop: true}, {Drop: true}}, puts: 3},
		{name: "a denial that does not last", put: []s3server.Fault{{Status: http.StatusForbidden, Code: "AccessDenied"}}, puts: 2},
		{name: "a conflict with another that gives up", put: []s3server.Fault{conflict, conflict}, puts: 3},
		{name: "the object of another", there: "other", want: checkpoint.ErrExists, puts: 1},
		{name: "the object of another after a 503", there: "other", put: []s3server.Fault{down}, want: checkpoint.ErrExists, puts: 2},
		{name: "the object of another after conflicts", there: "other", put: []s3server.Fault{conflict, conflict, conflict, conflict}, want: checkpoint.ErrExists, puts: 4},
		{name: "the longer object of another", there: "mine and more", want: checkpoint.ErrExists, puts: 1},
		{name: "an empty object of another", there: "-", want: checkpoint.ErrExists, puts: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server, config := serve(t)
			store := open(t, config)
			switch c.there {
			case "":
			case "-":
				server.SetObject("some/prefix/a", nil)
			default:
				server.SetObject("some/prefix/a", []byte(c.there))
			}
			for _, f := range c.put {
				server.Break("PUT", "a", 1, f)
			}
			for _, f := range c.get {
				server.Break("GET", "a", 1, f)
			}
			if err := store.Create(t.Context(), "a", []byte("mine")); !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			want := "mine"
			if c.there != "" {
				want = c.there
			}
			if got, _ := server.Object("some/prefix/a"); want != "-" && string(got) != want {
				t.Errorf("stored is %q, want %q", got, want)
			}
			if got := server.Requests("PUT"); got != c.puts {
				t.Errorf("%d PUTs, want %d", got, c.puts)
			}
			for _, h := range server.Puts() {
				if h.Get("If-None-Match") != "*" {
					t.Error("a PUT without the condition")
				}
			}
		})
	}
}

func TestCreateThatNeverArrivesIsAnError(t *testing.T) {
	server, config := serve(t)
	store := open(t, config)
	server.Break("PUT", "", 0, s3server.Fault{Status: http.StatusServiceUnavailable, Code: "SlowDown"})
	err := store.Create(t.Context(), "a", []byte("mine"))
	if stream.CodeOf(err) != stream.StoreUnavailable || errors.Is(err, checkpoint.ErrExists) {
		t.Errorf("got %v, want %s", err, stream.StoreUnavailable)
	}
	if got := server.Requests("PUT"); got != 4 {
		t.Errorf("%d PUTs, want 4: bounded, but more than one", got)
	}
}

func TestCreateOfALargestObjectIsOneConditionalPut(t *testing.T) {
	server, config := serve(t)
	store := open(t, config)
	data := make([]byte, checkpoint.MaxObject)
	if err := store.Create(t.Context(), "a", data); err != nil {
		t.Fatal(err)
	}
	puts := server.Puts()
	if len(puts) != 1 || puts[0].Get("If-None-Match") != "*" || server.Requests("POST") != 0 {
		t.Errorf("%d PUTs, %d POSTs, headers %v", len(puts), server.Requests("POST"), puts)
	}
	if err := store.Create(t.Context(), "b", append(data, 0)); err == nil {
		t.Error("an object of more than MaxObject was taken, for which there is no conditional PUT")
	}
	if got := server.Requests("PUT"); got != 1 {
		t.Errorf("%d PUTs, want the first alone", got)
	}
}

func TestARequestThatHangsEndsAtItsTimeout(t *testing.T) {
	server, config := serve(t)
	config.RequestTimeout = 50 * time.Millisecond
	store := open(t, config)
	server.SetObject("some/prefix/a", []byte("there"))
	server.Break("", "", 0, s3server.Fault{Hang: true})
	for doing, err := range every(t.Context(), store) {
		if stream.CodeOf(err) != stream.StoreUnavailable || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v, want %s", doing, err, stream.StoreUnavailable)
		}
	}
	server.Heal()
	if err := store.Create(t.Context(), "b", []byte("x")); err != nil {
		t.Errorf("after the store has recovered: %v", err)
	}
}

func TestTheContextEndsARequestThatHangs(t *testing.T) {
	server, config := serve(t)
	store := open(t, config)
	server.Break("", "", 0, s3server.Fault{Hang: true})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	for doing, err := range every(ctx, store) {
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v, want the error of the context", doing, err)
		}
	}
}

func TestGetReturnsTheWholeObjectOrAnError(t *testing.T) {
	server, config := serve(t)
	store := open(t, config)
	data := bytes.Repeat([]byte("0123456789"), 10_000)
	server.SetObject("some/prefix/a", data)
	server.Break("GET", "a", 3, s3server.Fault{Cut: 54_321})
	got, err := store.Get(t.Context(), "a")
	if err != nil || !bytes.Equal(got, data) {
		t.Fatalf("after cut answers: %d bytes, %v", len(got), err)
	}
	server.Break("GET", "a", 0, s3server.Fault{Cut: 54_321})
	got, err = store.Get(t.Context(), "a")
	if got != nil || stream.CodeOf(err) != stream.StoreUnavailable {
		t.Errorf("with answers that are always cut: %d bytes, %v", len(got), err)
	}
	server.Heal()
	server.SetObject("some/prefix/b", make([]byte, checkpoint.MaxObject+1))
	if got, err = store.Get(t.Context(), "b"); got != nil || err == nil {
		t.Errorf("an object above MaxObject: %d bytes, %v", len(got), err)
	}
}

func TestProbeTellsWhichStoreCanFence(t *testing.T) {
	for _, c := range []struct {
		name       string
		conditions s3server.Conditions
		want       stream.Code
	}{
		{"conditions are kept", s3server.Atomic, ""},
		{"conditions are ignored", s3server.Ignored, stream.StoreNotAtomic},
		{"conditions are looked at before, not while storing", s3server.Racy, stream.StoreNotAtomic},
		{"conditions are unknown", s3server.Unknown, stream.StoreNotAtomic},
	} {
		t.Run(c.name, func(t *testing.T) {
			server, config := serve(t)
			store := open(t, config)
			server.SetConditions(c.conditions)
			err := checkpoint.Probe(t.Context(), store)
			if (err == nil) != (c.want == "") || err != nil && stream.CodeOf(err) != c.want {
				t.Errorf("got %v, want %q", err, c.want)
			}
			for o := range store.List(t.Context(), "") {
				t.Errorf("%s is left", o.Name)
			}
		})
	}
}

// every makes all kinds of calls at once.
func every(ctx context.Context, store checkpoint.Store) map[string]error {
	var mu sync.Mutex
	var all sync.WaitGroup
	errs := map[string]error{}
	for doing, call := range map[string]func() error{
		"create": func() error { return store.Create(ctx, "b", []byte("x")) },
		"put":    func() error { return store.Put(ctx, "b", []byte("x")) },
		"get":    func() error { return get(ctx, store, "a") },
		"list":   func() error { return list(ctx, store) },
		"delete": func() error { return store.Delete(ctx, "a", "b") },
	} {
		all.Go(func() {
			err := call()
			mu.Lock()
			defer mu.Unlock()
			errs[doing] = err
		})
	}
	all.Wait()
	return errs
}

func get(ctx context.Context, store checkpoint.Store, name string) error {
	_, err := store.Get(ctx, name)
	return err
}

func list(ctx context.Context, store checkpoint.Store) error {
	for _, err := range store.List(ctx, "") {
		if err != nil {
			return err
		}
	}
	return nil
}
