package suite

import (
	"fmt"
	"testing"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/control"
)

func TestAnswersAreGivenInTheirOrderAndTheLastAgain(t *testing.T) {
	body := func(s string) *string { return &s }
	c := &canned{answers: []config.Answer{
		{URL: "http://a/", Method: "POST", Status: 201, Body: body("posted")},
		{URL: "http://a/", Fail: true},
		{URL: "http://a/", Status: 200, JSON: map[string]any{"n": 1}},
	}, given: make([]bool, 3)}
	for i, step := range []struct{ method, url, want string }{
		{"GET", "http://a/", "0  false"},
		{"GET", "http://a/", `200 {"n":1} true`},
		{"GET", "http://a/", `200 {"n":1} true`},
		{"POST", "http://a/", "201 posted true"},
		{"POST", "http://a/", `200 {"n":1} true`},
		{"GET", "http://a", "0  false"},
		{"GET", "http://a", "0  false"},
	} {
		a, ok := c.answer("v", control.Request{Method: step.method, URL: step.url})
		if got := fmt.Sprintf("%d %s %t", a.Status, a.Body, ok); got != step.want {
			t.Errorf("request %d: got %s, want %s", i, got, step.want)
		}
	}
	if got := fmt.Sprint(c.unanswered); got != "[GET http://a]" {
		t.Errorf("unanswered: %s", got)
	}
}
