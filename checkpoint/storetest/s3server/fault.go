package s3server

import (
	"io"
	"net/http"
	"strings"
	"time"
)

// Fault is what goes wrong with a request. The zero value is none.
type Fault struct {
	Status int    // answer with this status and Code, and do nothing
	Code   string // of the protocol

	Drop bool // cut the connection, and do nothing
	Lose bool // do it, and cut the connection in place of the answer
	Hang bool // do nothing and do not answer, until Heal or the client leaves

	// Cut ends the body of the answer after so many bytes.
	Cut int

	// Delay waits before the request is looked at, and Rate is the most bytes per
	// second of both bodies.
	Delay time.Duration
	Rate  int
}

// rule gives a fault to some requests.
type rule struct {
	method string
	key    string
	times  int // what is left; negative for ever
	fault  Fault
	healed chan struct{}
}

// Break lets the next requests of a method whose key contains a text meet a
// fault: so many times, or until Heal if times is 0. Empty texts mean all. The
// first rule that fits counts.
func (s *Server) Break(method, key string, times int, fault Fault) {
	if times == 0 {
		times = -1
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = append(s.rules, &rule{method: method, key: key, times: times, fault: fault, healed: make(chan struct{})})
}

// Heal ends all faults, and drops the requests that hang.
func (s *Server) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.rules {
		close(r.healed)
	}
	s.rules = nil
}

// fault returns the rule that a request meets, or one without fault.
func (s *Server) fault(method, key string) *rule {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.rules {
		if r.times != 0 && (r.method == "" || r.method == method) && strings.Contains(key, r.key) {
			r.times--
			return r
		}
	}
	return &rule{}
}

// before does what comes before the request, and reports whether that was all.
func (r *rule) before(s *Server, w http.ResponseWriter, request *http.Request) (http.ResponseWriter, bool) {
	f := r.fault
	if f.Delay > 0 {
		s.wait(request, f.Delay)
	}
	if f.Rate > 0 {
		request.Body = &slow{ReadCloser: request.Body, s: s, request: request, rate: f.Rate}
	}
	switch {
	case f.Drop:
		panic(http.ErrAbortHandler)
	case f.Hang:
		io.Copy(io.Discard, request.Body) // or the server does not see that the client leaves
		select {
		case <-r.healed:
		case <-request.Context().Done():
		case <-s.closing:
		}
		panic(http.ErrAbortHandler)
	case f.Status != 0:
		io.Copy(io.Discard, request.Body)
		refuse(w, f.Status, f.Code)
		return w, true
	case f.Lose:
		return nowhere{http.Header{}}, false
	case f.Cut > 0 || f.Rate > 0:
		return &limited{ResponseWriter: w, s: s, request: request, cut: f.Cut, rate: f.Rate}, false
	}
	return w, false
}

// after does what comes after the request was carried out.
func (r *rule) after() {
	if r.fault.Lose {
		panic(http.ErrAbortHandler)
	}
}

// wait waits, but not longer than the client and the server.
func (s *Server) wait(r *http.Request, d time.Duration) {
	select {
	case <-time.After(d):
	case <-r.Context().Done():
	case <-s.closing:
	}
}

// nowhere takes an answer that nobody gets.
type nowhere struct{ header http.Header }

func (n nowhere) Header() http.Header       { return n.header }
func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) WriteHeader(int)             {}

// limited sends the body of an answer slowly or in part.
type limited struct {
	http.ResponseWriter
	s       *Server
	request *http.Request
	cut     int // bytes until the connection is cut; 0 is never
	rate    int // bytes per second; 0 is all at once
}

func (l *limited) Write(p []byte) (int, error) {
	cut := l.cut > 0 && l.cut < len(p)
	if cut {
		p = p[:l.cut]
	}
	for rest := p; len(rest) > 0; {
		part := rest
		if l.rate > 0 {
			part = rest[:min(len(rest), max(l.rate/20, 1))]
			l.s.wait(l.request, time.Second*time.Duration(len(part))/time.Duration(l.rate))
		}
		if _, err := l.ResponseWriter.Write(part); err != nil {
			return 0, err
		}
		http.NewResponseController(l.ResponseWriter).Flush()
		rest = rest[len(part):]
	}
	if cut {
		panic(http.ErrAbortHandler)
	}
	return len(p), nil
}

// slow reads a body with a limit.
type slow struct {
	io.ReadCloser
	s       *Server
	request *http.Request
	rate    int // bytes per second
}

func (b *slow) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p[:min(len(p), max(b.rate/20, 1))])
	b.s.wait(b.request, time.Second*time.Duration(n)/time.Duration(b.rate))
	return n, err
}
