package control

import (
	"context"
	"net/http"

	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm/fetch"
)

// Request is what a guest asks for over HTTP.
type Request struct {
	Method, URL string
	Body        []byte // not to be changed
}

// Answer is what it gets.
type Answer struct {
	Status  int
	Headers map[string]string
	Body    []byte
}

// Answerer answers requests that a vertex may make, instead of the network; false fails
// one as if there were no connection. It may be called by several goroutines at once.
type Answerer func(stream.VertexID, Request) (Answer, bool)

// answer returns what answers the guest of vertex i, nil for the network.
func (b *build) answer(i int) func(context.Context, *fetch.Request) (*fetch.Response, error) {
	if b.Answer == nil {
		return nil
	}
	v := &b.config.Vertices[i]
	return func(_ context.Context, r *fetch.Request) (*fetch.Response, error) {
		q := Request{Method: r.Method, URL: r.URL, Body: r.Body}
		if q.Method == "" {
			q.Method = http.MethodGet
		}
		a, ok := b.Answer(v.Name, q)
		switch {
		case !ok:
			return nil, &fetch.Error{Reason: fetch.Failed, Why: "there is no answer to " + q.Method + " " + q.URL}
		case len(a.Body) > int(v.UDF.HTTP.MaxResponseBytes):
			return nil, &fetch.Error{Reason: fetch.TooLarge, Why: "the answer is larger than http.maxResponseBytes"}
		}
		response := &fetch.Response{Status: a.Status, Header: make(http.Header), Body: a.Body}
		for name, value := range a.Headers {
			response.Header.Set(name, value)
		}
		return response, nil
	}
}
