package examine

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/admin"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/doctor"
)

const token = "a-token-of-the-test-2026"

// nobody is a process without pipelines.
type nobody struct{}

func (nobody) Pipelines() []admin.Pipeline { return nil }
func (nobody) Ready(string) any            { return nil }
func (nobody) Reload(context.Context) (any, error) {
	return nil, errors.New("it was not asked to")
}
func (nobody) Checkpoint(context.Context, string) error { return errors.New("it was not asked to") }
func (nobody) SetPhase(context.Context, string, admin.Phase) (any, error) {
	return nil, errors.New("it was not asked to")
}

// serving listens as a process of wasmill does, at an address that it returns.
func serving(t *testing.T, address string) string {
	t.Helper()
	c := admin.Config{Addresses: []string{address}, Ready: func() error { return nil }, Status: func() any { return nil }, Control: nobody{}}
	if !strings.HasPrefix(address, "unix:") {
		c.Token = token
	}
	s, err := admin.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return strings.TrimPrefix(s.URL(), "http://")
}

// looked looks with an address and the token of the test.
func looked(t *testing.T, address, token string) *doctor.Admin {
	t.Helper()
	s := &config.Process{}
	s.Admin.Listen = config.Listen(address)
	s.Admin.Token.File = filepath.Join(t.TempDir(), "token")
	if token != "" {
		if err := os.WriteFile(s.Admin.Token.File, []byte(token), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return administered(t.Context(), s)
}

func TestWhoListensIsFound(t *testing.T) {
	ours := serving(t, "127.0.0.1:0")
	stranger := httptest.NewServer(http.NotFoundHandler())
	defer stranger.Close()
	for _, c := range []struct {
		name, address, token string
		taken                doctor.Taken
	}{
		{"a wasmill that knows the token", ours, token, doctor.Own},
		{"a wasmill that has another token", ours, token + "2", doctor.Another},
		{"a wasmill, and there is no token here", ours, "", doctor.Another},
		{"another program", stranger.Listener.Addr().String(), token, doctor.Stranger},
		{"nobody", "127.0.0.1:0", token, doctor.Free},
		{"an address that is not here", "192.0.2.1:1", token, doctor.Blocked},
	} {
		a := looked(t, c.address, c.token)
		if a.Taken != c.taken || a.Address != c.address || a.Token.There != (c.token != "") {
			t.Errorf("%s: %+v, token %+v", c.name, a, a.Token)
		}
	}
	if a := looked(t, "off", ""); a.Address != "" || a.Taken != "" || a.Token != nil {
		t.Errorf("off: %+v", a)
	}
}

func TestSocketsAreLookedAt(t *testing.T) {
	dir := t.TempDir()
	left := filepath.Join(dir, "left")
	l, err := net.Listen("unix", left)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	held := filepath.Join(dir, "held")
	serving(t, "unix:"+held)
	for path, taken := range map[string]doctor.Taken{left: doctor.Stale, file: doctor.Blocked, held: doctor.Own, filepath.Join(dir, "none"): doctor.Free} {
		if a := looked(t, "unix:"+path, ""); a.Taken != taken || a.Token != nil {
			t.Errorf("%s: %+v", path, a)
		}
		err := Mend(doctor.Repair{Action: doctor.Unlink, Path: path})
		if _, gone := os.Lstat(path); (err == nil) != (taken == doctor.Stale) || os.IsNotExist(gone) != (taken == doctor.Stale || taken == doctor.Free) {
			t.Errorf("%s is removed: %v", path, err)
		}
	}
}

func TestATokenIsLookedAt(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if found, _ := tokenOf(file); found.There || found.Fault != nil {
		t.Errorf("without a file: %+v", found)
	}
	if err := errors.Join(os.WriteFile(file, []byte(token), 0o600), os.Chmod(file, 0o644)); err != nil {
		t.Fatal(err)
	}
	if found, _ := tokenOf(file); !found.There || found.Mode.Perm() != 0o644 || found.Fault == nil {
		t.Errorf("that others can read: %+v", found)
	}
	if err := Mend(doctor.Repair{Action: doctor.Chmod, Path: file, Mode: 0o600}); err != nil {
		t.Fatal(err)
	}
	if found, got := tokenOf(file); found.Mode.Perm() != 0o600 || found.Fault != nil || got != token {
		t.Errorf("mended: %+v", found)
	}
}
