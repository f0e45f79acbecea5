package wasmill

import (
	"encoding/binary"
	"time"
)

// Request is an HTTP request, for HTTP.
type Request struct {
	Method  string // "" = GET
	URL     string // http:// or https://
	Headers Headers
	Body    []byte
	Timeout time.Duration // 0, and what is longer than the vertex allows, = what it allows
}

// Response is the answer to a request, a redirect too. Names in Headers are in lower case.
type Response struct {
	Status  int
	Headers Headers
	Body    []byte
}

// HTTPError says why there is no answer.
type HTTPError struct {
	Reason  int32 // one of those below
	Message string
}

func (e *HTTPError) Error() string { return e.Message }

// Reasons of an HTTPError, ABI.md §5.1.
const (
	HTTPInvalid  int32 = -1 // the request is malformed
	HTTPDenied   int32 = -2 // the vertex does not list the host, or it is not public
	HTTPTimeout  int32 = -3
	HTTPTooLarge int32 = -4 // the answer
	HTTPFailed   int32 = -5 // no connection, or it broke
)

// takeAnswer reads what the host answers to a request.
func takeAnswer(status int32, answer []byte) (*Response, error) {
	if status < 0 {
		return nil, &HTTPError{Reason: status, Message: string(answer)}
	}
	body := 4 + binary.LittleEndian.Uint32(answer)
	return &Response{Status: int(status), Headers: answer[4:body:body], Body: answer[body:]}, nil
}
