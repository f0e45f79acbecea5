package admin_test

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/wasmill/wasmill/host/admin"
	"github.com/wasmill/wasmill/host/stream"
)

func TestATokenIsMadeOnceAndForItsOwnerAlone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "data", "admin.token")
	if _, err := admin.ReadToken(file); !errors.Is(err, fs.ErrNotExist) || stream.ExitCode(err) != stream.ExitEnvironment {
		t.Errorf("before it is made: %v", err)
	}
	tokens := make([]string, 8) // of processes that start at once
	var all sync.WaitGroup
	for i := range tokens {
		all.Go(func() {
			var err error
			if tokens[i], err = admin.MakeToken(file); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, token := range tokens {
		if token != tokens[0] || len(token) < 20 {
			t.Errorf("the tokens are %q", tokens)
		}
	}
	if again, err := admin.ReadToken(file); err != nil || again != tokens[0] {
		t.Errorf("it is read as %q, %v", again, err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("its mode is %v, %v", info.Mode(), err)
	}
	if left, err := os.ReadDir(filepath.Dir(file)); err != nil || len(left) != 1 {
		t.Errorf("there is also %v, %v", left, err)
	}
	if other, err := admin.MakeToken(file + "2"); err != nil || other == tokens[0] {
		t.Errorf("another one is the same: %v", err)
	}
}

func TestAFileThatIsNoTokenIsRefused(t *testing.T) {
	const good = "a-token-of-my-own-2026"
	tests := []struct {
		name, content string
		mode          os.FileMode
		why           string
	}{
		{"one of the user's own", good + "\n", 0o600, ""},
		{"that only its owner reads", good, 0o400, ""},
		{"that everybody reads", good, 0o644, "others can get at the token"},
		{"that a group writes", good, 0o620, "others can get at the token"},
		{"an empty one", "", 0o600, "that is no token"},
		{"a short one", "password\n", 0o600, "that is no token"},
		{"two words", good + " " + good, 0o600, "that is no token"},
		{"two lines", good + "\n" + good, 0o600, "that is no token"},
		{"no text", good + "\xff", 0o600, "that is no token"},
		{"a large one", strings.Repeat("x", 1<<20), 0o600, "that is no token"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "token")
			if err := errors.Join(os.WriteFile(file, []byte(test.content), 0o600), os.Chmod(file, test.mode)); err != nil {
				t.Fatal(err)
			}
			for _, read := range []func(string) (string, error){admin.ReadToken, admin.MakeToken} {
				token, err := read(file)
				if test.why == "" && (token != good || err != nil) || test.why != "" && (token != "" || !strings.Contains(err.Error(), test.why) || strings.Contains(err.Error(), good)) {
					t.Errorf("got %q, %v", token, err)
				}
			}
			if left, err := os.ReadFile(file); err != nil || string(left) != test.content {
				t.Errorf("it was changed: %v", err)
			}
		})
	}
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{pipe, t.TempDir(), "/proc/none/token"} {
		if token, err := admin.MakeToken(file); token != "" || stream.ExitCode(err) != stream.ExitEnvironment {
			t.Errorf("%s gives %q, %v", file, token, err)
		}
	}
}

func TestASocketIsForItsOwnerAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "s")
	c := admin.Config{Addresses: []string{"unix:" + path}, Control: &changes{}, Ready: func() error { return nil }}
	t.Run("while it is served", func(t *testing.T) {
		s := serving(t, c)
		info, err := os.Stat(path)
		if err != nil || info.Mode() != os.ModeSocket|0o600 || s.URL() != "unix:"+path {
			t.Errorf("%s is %v, %v", s.URL(), info.Mode(), err)
		}
		if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
			t.Errorf("there is also %v, %v", left, err)
		}
		local := func(method, path, body string, headers ...string) string {
			return strings.Replace(request(method, path, body, headers...), "ADDRESS", "localhost", 1)
		}
		if status, body, _ := exchange(t, s, local("GET", "/api/v1/pipelines", "")); status != 200 {
			t.Errorf("without a token: %d %s", status, body)
		}
		if status, _, _ := exchange(t, s, strings.Replace(local("GET", "/readyz", ""), "localhost", "evil.example", 1)); status != 403 {
			t.Errorf("with another host: %d", status)
		}
		if status, _, _ := exchange(t, s, local("POST", "/api/v1/reload", "", "Origin: https://evil.example")); status != 403 {
			t.Errorf("from a page: %d", status)
		}
		if _, err := admin.Open(c); stream.ExitCode(err) != stream.ExitEnvironment || !strings.Contains(err.Error(), "another process listens there") {
			t.Errorf("a second server gets %v", err)
		}
	})
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after the end there is a socket: %v", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := l.Close(); err != nil { // as a process does that is killed
		t.Fatal(err)
	}
	t.Run("in place of one that was left", func(t *testing.T) {
		if status, _, _ := exchange(t, serving(t, c), "GET /readyz HTTP/1.1\nHost: localhost\nConnection: close\n\n"); status != 200 {
			t.Errorf("got %d", status)
		}
	})
	if err := os.WriteFile(path, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.Open(c); stream.ExitCode(err) != stream.ExitEnvironment {
		t.Errorf("in place of a file: %v", err)
	}
	if kept, err := os.ReadFile(path); err != nil || string(kept) != "kept" {
		t.Errorf("the file is %q, %v", kept, err)
	}
}
