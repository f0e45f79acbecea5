package admin

import (
	"fmt"
	"io"
	"net/http"
	"runtime/pprof"
	"runtime/trace"
	"strconv"
	"strings"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// Seconds that a profile of what happens takes.
const (
	usualSeconds = 30
	maxSeconds   = 600
)

// profile writes a profile of the Go runtime, as go tool pprof and go tool trace read
// them.
func (s *Server) profile(q *request) error {
	var begin func(io.Writer) error
	var end func()
	switch q.name {
	case "profile":
		begin, end = pprof.StartCPUProfile, pprof.StopCPUProfile
	case "trace":
		begin, end = trace.Start, trace.Stop
	default:
		return q.snapshot()
	}
	seconds, err := q.number("seconds", usualSeconds, 1, maxSeconds)
	if err != nil {
		return err
	}
	takes := time.Duration(seconds) * time.Second
	c := http.NewResponseController(q.w)
	if err := c.SetWriteDeadline(time.Now().Add(takes + requestTimeout)); err != nil {
		return err
	}
	q.w.Header().Set("Content-Type", "application/octet-stream")
	if err := begin(q.w); err != nil {
		return refused{http.StatusConflict, &stream.Error{Code: APIBusy, Where: q.name, Why: "it is taken already", Fix: "wait until that ends", Err: err}}
	}
	defer end()
	select {
	case <-time.After(takes):
	case <-q.r.Context().Done():
	}
	return nil
}

// snapshot writes a profile of how things are.
func (q *request) snapshot() error {
	p := pprof.Lookup(q.name)
	if p == nil {
		names := []string{"profile", "trace"}
		for _, p := range pprof.Profiles() {
			names = append(names, p.Name())
		}
		return &stream.Error{Code: APIPath, Where: fmt.Sprintf("%.40q", q.name), Why: "there is no such profile", Fix: "there are " + strings.Join(names, ", ")}
	}
	debug, err := q.number("debug", 0, 0, 2)
	if err != nil {
		return err
	}
	q.w.Header().Set("Content-Type", "application/octet-stream")
	if debug > 0 {
		q.w.Header().Set("Content-Type", plainText)
	}
	_ = p.WriteTo(q.w, debug) // the peer is gone
	return nil
}

// number reads a parameter of a request.
func (q *request) number(name string, usual, least, most int) (int, error) {
	given := q.r.URL.Query().Get(name)
	if given == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(given)
	if err != nil || n < least || n > most {
		return 0, &stream.Error{Code: APIRequest, Where: name, Why: fmt.Sprintf("%.40q is out of range", given), Fix: fmt.Sprintf("use %d to %d", least, most)}
	}
	return n, nil
}
