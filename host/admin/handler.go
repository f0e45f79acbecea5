package admin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"
)

// endpoints are the paths that exist.
const endpoints = `/healthz  200 while the process is up
/readyz   200 while every pipeline runs, or has ended well
/metrics  metrics in the text format of Prometheus
/status   what pipelines and vertices do and hold, and the oldest calls in flight, as JSON
`

// ServeHTTP implements http.Handler. Paths are compared as they came: nothing is
// cleaned, unescaped or redirected.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	if !local(r.Host) {
		answer(w, http.StatusForbidden, "the Host header has to be localhost or a loopback address\n")
		return
	}
	if origin := r.Header.Values("Origin"); len(origin) > 1 || len(origin) == 1 && origin[0] != "http://"+r.Host {
		answer(w, http.StatusForbidden, "requests from pages of other origins are refused\n")
		return
	}
	page, ok := s.pages()[r.URL.Path]
	switch {
	case !ok || r.URL.RawPath != "":
		answer(w, http.StatusNotFound, "there is no such path; there are\n"+endpoints)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		h.Set("Allow", "GET, HEAD")
		answer(w, http.StatusMethodNotAllowed, "only GET and HEAD\n")
	default:
		page(w)
	}
}

// pages are the answers by path.
func (s *Server) pages() map[string]func(http.ResponseWriter) {
	return map[string]func(http.ResponseWriter){
		"/": func(w http.ResponseWriter) { answer(w, http.StatusOK, endpoints) },
		"/healthz": func(w http.ResponseWriter) {
			answer(w, http.StatusOK, fmt.Sprintf("ok\nup %v\n", time.Since(s.began).Round(time.Second)))
		},
		"/readyz": func(w http.ResponseWriter) {
			if err := s.ready(); err != nil {
				answer(w, http.StatusServiceUnavailable, err.Error()+"\n")
				return
			}
			answer(w, http.StatusOK, "ready\n")
		},
		"/metrics": func(w http.ResponseWriter) {
			text := s.Metrics.text()
			w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
			answer(w, http.StatusOK, string(text))
		},
		"/status": func(w http.ResponseWriter) {
			text, err := json.MarshalIndent(s.status(), "", "  ")
			if err != nil {
				panic("BUG: admin: the status has no JSON: " + err.Error())
			}
			w.Header().Set("Content-Type", "application/json")
			answer(w, http.StatusOK, string(text)+"\n")
		},
	}
}

// answer writes a whole answer; a peer that is gone does not want it.
func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
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
