package admin

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

const (
	maxBody     = 64 << 10        // bytes of a request
	longTimeout = 5 * time.Minute // of what takes as long as the pipelines do
)

// body is what a request has to bring, as JSON.
type body struct {
	field   string
	choices []string
}

var phaseBody = body{"phase", phaseNames()}

func phaseNames() (names []string) {
	for _, p := range Phases() {
		names = append(names, string(p))
	}
	return names
}

func (s *Server) pipelines(q *request) error {
	all := []any{}
	for _, p := range s.control.Pipelines() {
		all = append(all, p.Status)
	}
	answerJSON(q.w, http.StatusOK, map[string]any{"pipelines": all})
	return nil
}

// named returns the pipeline that a request is about.
func (s *Server) named(q *request) (Pipeline, error) {
	var names []string
	for _, p := range s.control.Pipelines() {
		if p.Name == q.name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	fix := "there is none"
	if names != nil {
		fix = "there are " + strings.Join(names, ", ")
	}
	return Pipeline{}, &stream.Error{Code: PipelineUnknown, Where: fmt.Sprintf("%.100q", q.name), Why: "there is no such pipeline", Fix: fix}
}

func (s *Server) pipeline(q *request) error {
	p, err := s.named(q)
	if err != nil {
		return err
	}
	answerJSON(q.w, http.StatusOK, p.Status)
	return nil
}

func (s *Server) vertices(q *request) error {
	p, err := s.named(q)
	if err != nil {
		return err
	}
	answerJSON(q.w, http.StatusOK, map[string]any{"vertices": p.Vertices})
	return nil
}

func (s *Server) pipelineReady(q *request) error {
	if out := s.control.Ready(q.name); out != nil {
		answerJSON(q.w, http.StatusOK, out)
		return nil
	}
	_, err := s.named(q)
	return cmp.Or(err, error(&stream.Error{Code: PipelineUnknown, Where: q.name, Why: "the pipeline comes or goes just now", Fix: "ask again"}))
}

func (s *Server) pipelineEvents(q *request) error {
	p, err := s.named(q)
	if err != nil {
		return err
	}
	q.pipeline = p.Name
	return s.follow(q)
}

func (s *Server) phase(q *request) error {
	phase, err := q.choice(&phaseBody)
	if err != nil {
		return err
	}
	p, err := s.named(q)
	if err != nil {
		return err
	}
	q.unhurried()
	out, err := s.control.SetPhase(q.r.Context(), p.Name, Phase(phase))
	if err != nil {
		return err
	}
	answerJSON(q.w, http.StatusAccepted, out)
	return nil
}

func (s *Server) checkpoint(q *request) error {
	if err := q.nothing(); err != nil {
		return err
	}
	p, err := s.named(q)
	if err != nil {
		return err
	}
	if err := s.control.Checkpoint(q.r.Context(), p.Name); err != nil {
		return err
	}
	answerJSON(q.w, http.StatusAccepted, map[string]any{"pipeline": p.Name, "requested": true})
	return nil
}

func (s *Server) reload(q *request) error {
	if err := q.nothing(); err != nil {
		return err
	}
	q.unhurried()
	out, err := s.control.Reload(q.r.Context())
	if err != nil {
		return err
	}
	answerJSON(q.w, http.StatusOK, out)
	return nil
}

// unhurried gives a request more time than others for its answer. That for reading it
// ends when it is read.
func (q *request) unhurried() {
	_ = http.NewResponseController(q.w).SetWriteDeadline(time.Now().Add(longTimeout)) // else the connection is closed
}

// choice reads the value of the only field of a body.
func (q *request) choice(b *body) (string, error) {
	fix := fmt.Sprintf(`send {"%s": "%s"}`, b.field, strings.Join(b.choices, `"} or {"`+b.field+`": "`))
	wrong := func(status int, why string, err error) (string, error) {
		return "", refused{status, &stream.Error{Code: APIRequest, Where: "body", Why: why, Fix: fix, Err: err}}
	}
	if media, _, err := mime.ParseMediaType(q.r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return wrong(http.StatusUnsupportedMediaType, "the Content-Type is not application/json", nil)
	}
	text, err := q.read()
	if err != nil {
		return "", err
	}
	var fields map[string]string
	if err := json.Unmarshal(text, &fields); err != nil {
		return wrong(http.StatusBadRequest, "the body is not what it has to be", err)
	}
	value, ok := fields[b.field]
	if !ok || len(fields) > 1 {
		return wrong(http.StatusBadRequest, "the body has other fields than "+b.field, nil)
	}
	if !slices.Contains(b.choices, value) {
		return wrong(http.StatusBadRequest, fmt.Sprintf("%.40q is no %s", value, b.field), nil)
	}
	return value, nil
}

// nothing makes sure that a request says nothing that would not be heard.
func (q *request) nothing() error {
	text, err := q.read()
	if err != nil {
		return err
	}
	if given := strings.TrimSpace(string(text)); given != "" && given != "{}" {
		return &stream.Error{Code: APIRequest, Where: "body", Why: "there is a body, which has no meaning here", Fix: "send none"}
	}
	return nil
}

// read returns the body of a request.
func (q *request) read() ([]byte, error) {
	text, err := io.ReadAll(http.MaxBytesReader(q.w, q.r.Body, maxBody))
	if err == nil {
		return text, nil
	}
	wrong := refused{http.StatusBadRequest, &stream.Error{Code: APIRequest, Where: "body", Why: "the body cannot be read", Fix: "send it whole", Err: err}}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		wrong.status = http.StatusRequestEntityTooLarge
		wrong.fault.Fix = fmt.Sprintf("send at most %d bytes", maxBody)
	} else if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
		wrong.status = http.StatusRequestTimeout
	}
	return nil, wrong
}
