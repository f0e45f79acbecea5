package notify

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// manager notes what it is sent, and in which second.
type manager struct {
	mu    sync.Mutex
	began time.Time
	got   []string // guarded by mu
}

func (m *manager) send(state string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.got = append(m.got, fmt.Sprintf("%d %s", int(time.Since(m.began).Seconds()), strings.ReplaceAll(state, "\n", " ")))
}

// heard returns what came since it was last called.
func (m *manager) heard() (got []string) {
	synctest.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	got, m.got = m.got, nil
	return got
}

func expect(t *testing.T, m *manager, want ...string) {
	t.Helper()
	if got := m.heard(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// serve runs a service of a manager that watches, until the test ends.
func serve(t *testing.T, look func() (bool, string), healthy func()) (*Service, *manager) {
	m := &manager{began: time.Now()}
	s := &Service{send: m.send, watch: 20 * time.Second}
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan struct{})
	go func() { defer close(over); s.Run(ctx, look, healthy) }()
	t.Cleanup(func() { cancel(); <-over })
	return s, m
}

func TestAServiceIsReadyOnceAndStopsForGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		ready, status := false, "p: 1/3"
		set := func(r bool, s string) { mu.Lock(); defer mu.Unlock(); ready, status = r, s }
		s, m := serve(t, func() (bool, string) { mu.Lock(); defer mu.Unlock(); return ready, status }, func() {})
		expect(t, m, "0 STATUS=p: 1/3")
		time.Sleep(50 * time.Millisecond) // between two looks
		s.Reload(func() {})               // nobody waits for it yet
		time.Sleep(time.Second)
		expect(t, m)
		set(true, "a\nb")
		time.Sleep(time.Second)
		expect(t, m, "1 STATUS=a; b READY=1")
		set(false, "a")
		time.Sleep(time.Second)
		set(true, "a")
		time.Sleep(time.Second)
		expect(t, m, "2 STATUS=a")
		s.Reload(func() {
			if got := m.heard(); len(got) != 1 || !strings.HasPrefix(got[0], "4 RELOADING=1 MONOTONIC_USEC=") {
				t.Errorf("got %q", got)
			}
		})
		expect(t, m, "4 READY=1")
		s.Reload(s.Stopping)
		if got := m.heard(); len(got) != 2 || got[1] != "4 STOPPING=1" {
			t.Errorf("got %q", got)
		}
		s.Stopping()
		s.Reload(func() {})
		expect(t, m)
	})
}

func TestAServiceThatHangsIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hangs := make(chan struct{}, 1)
		hangs <- struct{}{}
		_, m := serve(t, func() (bool, string) { return true, "" }, func() { hangs <- struct{}{}; <-hangs })
		expect(t, m, "0 READY=1")
		time.Sleep(time.Hour)
		expect(t, m)
		<-hangs // it goes on
		expect(t, m, "3600 WATCHDOG=1")
		time.Sleep(25 * time.Second)
		expect(t, m, "3610 WATCHDOG=1", "3620 WATCHDOG=1")
	})
}

func TestTheSocketMayBeAbstractOrNotThere(t *testing.T) {
	for _, name := range []string{filepath.Join(t.TempDir(), "notify"), "@wasmill-test-" + filepath.Base(t.TempDir()) + t.Name()} {
		l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		t.Setenv("NOTIFY_SOCKET", name)
		s, err := Open()
		if err != nil {
			t.Fatal(err)
		}
		s.Stopping()
		text := make([]byte, 100)
		if n, err := l.Read(text); err != nil || string(text[:n]) != "STOPPING=1" {
			t.Errorf("%s: got %q, %v", name, text[:n], err)
		}
		l.Close()
		if s, err = Open(); err != nil {
			t.Fatal(err)
		}
		s.Stopping() // nobody listens
	}
	t.Setenv("WATCHDOG_USEC", "soon")
	if _, err := Open(); stream.CodeOf(err) != stream.Environment {
		t.Errorf("got %v", err)
	}
	t.Setenv("NOTIFY_SOCKET", "")
	s, err := Open()
	if s != nil || err != nil {
		t.Errorf("without a manager: %v, %v", s, err)
	}
	called := false
	s.Run(t.Context(), nil, nil)
	s.Stopping()
	if s.Reload(func() { called = true }); !called {
		t.Error("without a manager nothing is read again")
	}
}
