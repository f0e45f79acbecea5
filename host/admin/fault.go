package admin

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/wasmill/wasmill/host/stream"
)

// The codes of requests that are refused.
const (
	APIForbidden    stream.Code = "api-forbidden"    // the Host or the Origin is not ours
	APIToken        stream.Code = "api-token"        // there is no token, or another one
	APIClosed       stream.Code = "api-closed"       // the process has no token itself
	APIPath         stream.Code = "api-path"         // there is no such path
	APIMethod       stream.Code = "api-method"       // not by this method
	APIRequest      stream.Code = "api-request"      // the request is not as it has to be
	APIBusy         stream.Code = "api-busy"         // too many do the same
	PipelineUnknown stream.Code = "pipeline-unknown" // there is none with this name
	PipelineState   stream.Code = "pipeline-state"   // not as the pipeline is now
	TapUnknown      stream.Code = "tap-unknown"      // the pipeline has no such vertex, edge or tag
)

// statuses are those of the answers, by code.
var statuses = map[stream.Code]int{
	APIForbidden:    http.StatusForbidden,
	APIToken:        http.StatusUnauthorized,
	APIClosed:       http.StatusServiceUnavailable,
	APIPath:         http.StatusNotFound,
	APIMethod:       http.StatusMethodNotAllowed,
	APIRequest:      http.StatusBadRequest,
	APIBusy:         http.StatusServiceUnavailable,
	PipelineUnknown: http.StatusNotFound,
	PipelineState:   http.StatusConflict,
	TapUnknown:      http.StatusNotFound,
}

// Fault is an error as the API answers it.
type Fault struct {
	Code  stream.Code `json:"code"`
	Where string      `json:"where"`
	Why   string      `json:"why"`
	Fix   string      `json:"fix"`
	More  []Fault     `json:"more,omitempty"` // what is wrong besides
}

// refused is an error with the status of its answer.
type refused struct {
	status int
	fault  *stream.Error
}

func (r refused) Error() string { return r.fault.Error() }
func (r refused) Unwrap() error { return r.fault }

// faultOf returns an error as the API answers it, and the status of the answer.
func faultOf(err error) (int, Fault) {
	all := faults(err)
	first := all[0]
	first.More = all[1:]
	if r, ok := errors.AsType[refused](err); ok {
		return r.status, first
	}
	if status, ok := statuses[first.Code]; ok {
		return status, first
	}
	switch stream.ExitCode(err) {
	case stream.ExitInput:
		return http.StatusUnprocessableEntity, first
	case stream.ExitEnvironment:
		return http.StatusServiceUnavailable, first
	case stream.ExitFenced:
		return http.StatusConflict, first
	}
	return http.StatusInternalServerError, first
}

// faults lists what is wrong, at least one thing.
func faults(err error) []Fault {
	switch e := err.(type) {
	case *stream.Error:
		return []Fault{{Code: e.Code, Where: e.Where, Why: e.Reason(), Fix: e.Fix}}
	case interface{ Unwrap() []error }:
		var all []Fault
		for _, below := range e.Unwrap() {
			all = append(all, faults(below)...)
		}
		return all
	}
	if e, ok := errors.AsType[*stream.Error](err); ok {
		return faults(e)
	}
	return []Fault{{Code: stream.Internal, Why: err.Error()}}
}

// answerFault answers with an error.
func answerFault(w http.ResponseWriter, err error) {
	status, fault := faultOf(err)
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="wasmill"`)
	}
	answerJSON(w, status, fault)
}

// answerJSON writes a whole answer.
func answerJSON(w http.ResponseWriter, status int, v any) {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		panic("BUG: admin: an answer has no JSON: " + err.Error())
	}
	w.Header().Set("Content-Type", "application/json")
	answer(w, status, string(text)+"\n")
}
