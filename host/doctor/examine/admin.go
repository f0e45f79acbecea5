package examine

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/wasmill/wasmill/host/admin"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/doctor"
	"github.com/wasmill/wasmill/host/stream"
)

const (
	answerTimeout = 3 * time.Second // of who listens at an address
	mostAnswer    = 64 << 10        // bytes
)

// administered looks at the first address that operators are to find the process at, and at
// the token.
func administered(ctx context.Context, s *config.Process) *doctor.Admin {
	a, all := &doctor.Admin{}, s.Admin.Listen.Addresses()
	if len(all) == 0 {
		return a
	}
	a.Address, a.Others = all[0], len(all) > 1
	var token string
	if !s.Admin.Listen.Private() {
		a.Token, token = tokenOf(s.Admin.Token.File)
	}
	network, at := "tcp", a.Address
	if s.Admin.Listen.Private() {
		network, at = "unix", socketPath(a.Address)
	}
	if a.Taken, a.Why = heldBy(network, at); a.Taken == doctor.Stranger {
		a.Taken = who(ctx, network, at, token, s.Admin.TLS.Cert != "")
	}
	return a
}

func socketPath(address string) string { return strings.TrimPrefix(address, "unix:") }

func tokenOf(file string) (t *doctor.Token, token string) {
	t = &doctor.Token{File: file}
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return t, ""
	}
	t.There = true
	if err == nil {
		t.Mode = info.Mode()
	}
	token, err = admin.ReadToken(file)
	if e, ok := errors.AsType[*stream.Error](err); ok {
		t.Fault = e
	}
	return t, token
}

// heldBy says whether an address is free; Stranger stands for whoever has it.
func heldBy(network, at string) (doctor.Taken, string) {
	if network == "unix" {
		return socketHeldBy(at)
	}
	l, err := net.Listen(network, at)
	switch {
	case err == nil:
		_ = l.Close() // nobody has connected
		return doctor.Free, ""
	case errors.Is(err, syscall.EADDRINUSE):
		return doctor.Stranger, ""
	}
	return doctor.Blocked, cause(err)
}

func socketHeldBy(path string) (doctor.Taken, string) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return doctor.Free, ""
	case err != nil:
		return doctor.Blocked, cause(err)
	case info.Mode().Type() != os.ModeSocket:
		return doctor.Blocked, "there is something else than a socket"
	}
	c, err := net.DialTimeout("unix", path, answerTimeout)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return doctor.Stale, ""
	case err != nil:
		return doctor.Blocked, cause(err)
	}
	_ = c.Close() // it was not used
	return doctor.Stranger, ""
}

// who asks who listens, and lets it prove that it has the token, which it is not sent.
func who(ctx context.Context, network, at, token string, secure bool) doctor.Taken {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	var peer atomic.Pointer[net.Addr] // of the last connection
	transport := &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, // what it answers is not taken for more than a word
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			c, err := d.DialContext(ctx, network, at)
			if err == nil {
				at := c.RemoteAddr()
				peer.Store(&at)
			}
			return c, err
		},
	}
	client := http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	base := "http://"
	if secure {
		base = "https://"
	}
	if network == "unix" {
		base += "localhost"
	} else {
		base += at
	}
	ask := func(path string) string {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, base+path, nil)
		if err != nil {
			return ""
		}
		answer, err := client.Do(r)
		if err != nil {
			return ""
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(io.LimitReader(answer.Body, mostAnswer))
		if err != nil || answer.StatusCode != http.StatusOK {
			return ""
		}
		return string(text)
	}
	if list := ask("/"); !strings.Contains(list, "/api/v1/pipelines/{name}") || !strings.Contains(list, "/proof") {
		return doctor.Stranger
	}
	if network == "unix" { // which is the user's own
		return doctor.Own
	}
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails
	nonce := hex.EncodeToString(random)
	proof := ask("/proof?nonce=" + nonce)
	if at := peer.Load(); token != "" && at != nil && admin.Proven(proof, token, nonce, *at) {
		return doctor.Own
	}
	return doctor.Another
}
