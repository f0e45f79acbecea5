package admin

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// wire is a listener for one connection within the process.
type wire struct {
	conn   chan net.Conn
	once   sync.Once
	closed chan bool
}

func (w *wire) Accept() (net.Conn, error) {
	select {
	case c := <-w.conn:
		return c, nil
	case <-w.closed:
		return nil, net.ErrClosed
	}
}

func (w *wire) Addr() net.Addr { return &net.TCPAddr{} }
func (w *wire) Close() error   { w.once.Do(func() { close(w.closed) }); return nil }

// held tells when it is closed.
type held struct {
	net.Conn
	once sync.Once
	gone chan bool
}

func (h *held) Close() error {
	h.once.Do(func() { close(h.gone) })
	return h.Conn.Close()
}

// connected runs a server and connects to it.
func connected(c Config) (client net.Conn, gone chan bool, cancel func(), ended chan error) {
	s := newServer(c)
	l := &wire{conn: make(chan net.Conn), closed: make(chan bool)}
	s.listener = l
	ctx, cancel := context.WithCancel(context.Background())
	ended = make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	client, server := net.Pipe()
	gone = make(chan bool)
	l.conn <- &held{Conn: server, gone: gone}
	return client, gone, cancel, ended
}

func TestASlowPeerIsCutOff(t *testing.T) {
	tests := []struct {
		name, request string
		reads         bool // the answer, if there is time for one
	}{
		{"that sends nothing", "", false},
		{"that does not end its headers", "GET /healthz HTTP/1.1\r\nHost: localhost\r\n", false},
		{"that does not end its body", "POST /api/v1/reload HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer t\r\nContent-Length: 9\r\n\r\n{", true},
		{"that does not read the answer", "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", false},
		{"that asks no more", "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				client, gone, cancel, ended := connected(Config{})
				if _, err := io.WriteString(client, test.request); err != nil {
					t.Fatal(err)
				}
				if test.reads {
					if _, err := io.Copy(io.Discard, client); err != nil {
						t.Fatal(err)
					}
				}
				<-gone
				if took := time.Since(began); took > requestTimeout+time.Second {
					t.Errorf("it was cut off after %v", took)
				}
				cancel()
				if err := <-ended; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestAPeerThatTricklesIsCutOff sends headers without end, each well in time.
func TestAPeerThatTricklesIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		client, _, cancel, ended := connected(Config{})
		_, err := io.WriteString(client, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n")
		for ; err == nil; _, err = io.WriteString(client, "X: y\r\n") {
			time.Sleep(time.Second)
		}
		if took := time.Since(began); took > requestTimeout+2*time.Second {
			t.Errorf("it was cut off after %v", took)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestTheEndWaitsForRequestsButNotForLong(t *testing.T) {
	for name, takes := range map[string]time.Duration{"a short request": shutTimeout / 2, "one without end": time.Hour} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := make(chan bool)
				client, _, cancel, ended := connected(Config{Ready: func() error { close(asked); time.Sleep(takes); return nil }})
				if _, err := io.WriteString(client, "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
					t.Fatal(err)
				}
				<-asked
				began := time.Now()
				cancel()
				answer, err := io.ReadAll(client)
				if got := len(answer) > 0; err != nil || got != (takes < shutTimeout) {
					t.Errorf("the answer is %q, %v", answer, err)
				}
				if err := <-ended; err != nil || time.Since(began) > 2*shutTimeout {
					t.Errorf("the server ended %v later: %v", time.Since(began), err)
				}
				time.Sleep(takes) // until the request ends
			})
		})
	}
}
