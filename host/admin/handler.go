package admin

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", plainText)
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	api := guarded(r.URL.Path)
	err := foreign(r)
	if err == nil && api {
		err = s.authorize(r)
	}
	if err == nil {
		err = s.route(w, r)
	}
	switch {
	case err == nil:
	case api:
		answerFault(w, err)
	default:
		answerText(w, err)
	}
}

// foreign refuses what a browser sends for the page of somebody else.
func foreign(r *http.Request) error {
	if !local(r.Host) {
		return &stream.Error{Code: APIForbidden, Where: "Host", Why: "the Host header has to be localhost or a loopback address", Fix: "ask by such an address"}
	}
	own := "http://" + r.Host
	if r.TLS != nil {
		own = "https://" + r.Host
	}
	if origin := r.Header.Values("Origin"); len(origin) > 1 || len(origin) == 1 && origin[0] != own {
		return &stream.Error{Code: APIForbidden, Where: "Origin", Why: "requests from pages of other origins are refused", Fix: "ask without a browser"}
	}
	return nil
}

// route answers by the route that a request is for.
func (s *Server) route(w http.ResponseWriter, r *http.Request) error {
	path := r.URL.Path
	if r.URL.RawPath != "" {
		path = "" // it is written with escapes
	}
	for _, t := range s.routes {
		name, ok := t.match(path)
		if !ok {
			continue
		}
		if r.Method == t.method || r.Method == http.MethodHead && t.method == http.MethodGet {
			return t.serve(s, &request{w: w, r: r, name: name})
		}
		allow := t.method
		if allow == http.MethodGet {
			allow = "GET, HEAD"
		}
		w.Header().Set("Allow", allow)
		return &stream.Error{Code: APIMethod, Where: t.path, Why: "only " + strings.ReplaceAll(allow, ", ", " and "), Fix: "use one of them"}
	}
	return &stream.Error{Code: APIPath, Why: "there is no such path", Fix: "GET / lists them"}
}

func (s *Server) list(q *request) error {
	answer(q.w, http.StatusOK, listing())
	return nil
}

func (s *Server) health(q *request) error {
	answer(q.w, http.StatusOK, fmt.Sprintf("ok\nup %v\n", time.Since(s.began).Round(time.Second)))
	return nil
}

func (s *Server) readiness(q *request) error {
	if err := s.ready(); err != nil {
		answer(q.w, http.StatusServiceUnavailable, err.Error()+"\n")
		return nil
	}
	answer(q.w, http.StatusOK, "ready\n")
	return nil
}

func (s *Server) metrics(q *request) error {
	text := s.Metrics.text()
	q.w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	answer(q.w, http.StatusOK, string(text))
	return nil
}

func (s *Server) all(q *request) error {
	answerJSON(q.w, http.StatusOK, s.status())
	return nil
}

// answer writes a whole answer; a peer that is gone does not want it.
func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}

// answerText answers with an error where no program reads it.
func answerText(w http.ResponseWriter, err error) {
	status, fault := faultOf(err)
	text := fault.Why + "\n"
	if fault.Code == APIPath {
		text = fault.Why + "; there are\n" + listing()
	}
	answer(w, status, text)
}

// local says whether a Host header names the loopback interface without a name
// that somebody else can make point there.
func local(host string) bool {
	u, err := url.Parse("http://" + host)
	if err != nil || u.Host != host {
		return false
	}
	if u.Hostname() == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(u.Hostname())
	return err == nil && addr.Unmap().IsLoopback()
}
