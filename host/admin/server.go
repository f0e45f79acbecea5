package admin

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// Config says where a Server listens and what it answers.
type Config struct {
	// Addresses are tried in turn until one can be listened on; at least one.
	// Each is host:port of a loopback interface, where port 0 is any free one, or
	// unix:PATH, a socket for the user of this process alone.
	Addresses []string
	// Ready returns why the process is not ready to move records, nil if it is.
	// Any goroutine may call it; it must not block.
	Ready func() error
	// Status returns what there is to see of the process, to be written as JSON. As
	// Ready.
	Status func() any

	// TLS protects connections but those over a socket; nil = nothing does.
	TLS *TLS

	// Token has to be shown for everything below /api and /debug, unless the Server
	// listens on a socket. Empty = nobody can, because of Locked.
	Token   string
	Locked  error
	Control Control // behind the API; nil only without a token
	Events  *Events // to be followed; nil = nothing happens
	Tapper  Tapper  // as Control
}

// Server answers on a loopback address, or on a socket.
type Server struct {
	Metrics Metrics
	Moved   error // why it does not listen on the first address; nil = it does

	listener net.Listener
	http     http.Server
	private  bool    // only the user of this process can connect
	tls      *keeper // nil = no TLS
	routes   []route
	ready    func() error
	status   func() any
	token    string
	locked   error
	control  Control
	events   *Events
	tapper   Tapper
	began    time.Time
}

// Limits of a connection. A scrape is some 20 KB, so a peer that needs more time
// than this is broken, or wants to hold on to connections.
const (
	requestTimeout = 10 * time.Second
	shutTimeout    = time.Second
	headerBytes    = 16 << 10
)

// Open listens. Run or Close has to be called once. The error is a *stream.Error.
func Open(c Config) (*Server, error) {
	s := newServer(c)
	if c.TLS != nil {
		var err error
		if s.tls, err = newKeeper(*c.TLS); err != nil {
			return nil, err
		}
	}
	for _, address := range c.Addresses {
		var err error
		if s.listener, err = listen(address); err == nil {
			s.private = s.listener.Addr().Network() == "unix"
			return s, nil
		}
		if stream.CodeOf(err) != stream.Internal {
			return nil, err
		}
		s.Moved = err
	}
	return nil, &stream.Error{
		Code: stream.Environment, Where: "admin.listen", Why: "cannot serve health and metrics", Err: s.Moved,
		Fix: "end what listens there, set another address of the loopback interface (127.0.0.1:0 is any free port) or a socket (unix:PATH), or set admin.listen=off",
	}
}

// newServer returns a server without a listener.
func newServer(c Config) *Server {
	s := &Server{routes: routes(), ready: c.Ready, status: c.Status, token: c.Token, locked: c.Locked, control: c.Control, events: c.Events, tapper: c.Tapper, began: time.Now()}
	if s.events == nil {
		s.events = &Events{}
	}
	s.http = http.Server{
		Handler:        s,
		ReadTimeout:    requestTimeout, // headers and body; and idle before the next request
		WriteTimeout:   requestTimeout,
		MaxHeaderBytes: headerBytes,
		ErrorLog:       log.New(faultsOnly{}, "", 0),

		DisableGeneralOptionsHandler: true, // so that ServeHTTP sees everything
	}
	return s
}

// URL is where the Server listens, such as http://127.0.0.1:7676, or unix:PATH.
func (s *Server) URL() string {
	if l, ok := s.listener.(*socket); ok {
		return unixPrefix + l.path
	}
	scheme := "http://"
	if s.tls != nil {
		scheme = "https://"
	}
	return scheme + s.listener.Addr().String()
}

// Run answers requests until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	shut := make(chan error, 1)
	unhook := context.AfterFunc(ctx, func() { s.events.end(); shut <- s.shutdown() })
	l := s.listener
	if s.tls != nil && !s.private {
		l = tls.NewListener(l, &tls.Config{MinVersion: tls.VersionTLS12, GetConfigForClient: s.tls.current})
	}
	err := s.http.Serve(l)
	if errors.Is(err, http.ErrServerClosed) {
		return <-shut
	}
	unhook()
	return fmt.Errorf("serve on %s: %w", s.URL(), err)
}

// shutdown lets requests under way end, within a time.
func (s *Server) shutdown() error {
	ctx, cancel := context.WithTimeout(context.Background(), shutTimeout)
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		return s.http.Close()
	}
	return nil
}

// faultsOnly passes on to the log what the library of HTTP says, but for handshakes of
// TLS that fail: any user of this machine could fill the log with them.
type faultsOnly struct{}

func (faultsOnly) Write(line []byte) (int, error) {
	if !bytes.HasPrefix(line, []byte("http: TLS handshake error")) {
		log.Print(string(line))
	}
	return len(line), nil
}

// Close stops listening, instead of Run.
func (s *Server) Close() error { return s.listener.Close() }
