package control

import (
	"errors"
	"fmt"
	"testing"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm/fetch"
)

func TestAnswersOfABuilderReachGuests(t *testing.T) {
	var asked []string
	c := &config.Pipeline{Vertices: []config.Vertex{{Name: "v", UDF: &config.UDF{HTTP: config.HTTP{MaxResponseBytes: 4}}}}}
	b := &build{Builder: &Builder{Answer: func(v stream.VertexID, q Request) (Answer, bool) {
		asked = append(asked, fmt.Sprintf("%s %s %s %s", v, q.Method, q.URL, q.Body))
		switch q.URL {
		case "http://a/":
			return Answer{Status: 201, Headers: map[string]string{"x-own": "1"}, Body: []byte("four")}, true
		case "http://large/":
			return Answer{Status: 200, Body: []byte("fives")}, true
		}
		return Answer{}, false
	}}, config: c}
	answer := b.answer(0)
	r, err := answer(t.Context(), &fetch.Request{URL: "http://a/", Method: "POST", Body: []byte("body")})
	if err != nil || r.Status != 201 || r.Header.Get("X-Own") != "1" || string(r.Body) != "four" {
		t.Errorf("%+v, %v", r, err)
	}
	for url, want := range map[string]fetch.Reason{"http://large/": fetch.TooLarge, "http://none/": fetch.Failed} {
		var e *fetch.Error
		if _, err := answer(t.Context(), &fetch.Request{URL: url}); !errors.As(err, &e) || e.Reason != want {
			t.Errorf("%s: %v", url, err)
		}
	}
	if asked[0] != "v POST http://a/ body" || asked[1][:6] != "v GET " {
		t.Errorf("asked %q", asked)
	}
	if b.Builder = (&Builder{}); b.answer(0) != nil {
		t.Error("without answers the network answers")
	}
}
