package fetch

import (
	"context"
	"errors"
	"net/http"
	"testing"
)

// TestAnswersStandInForTheNetworkAndNotForTheRules asks where nobody listens.
func TestAnswersStandInForTheNetworkAndNotForTheRules(t *testing.T) {
	rule, err := ParseRule("nobody.example.org")
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	c := New(Policy{Allow: []Rule{rule}, MaxBytes: 1 << 10, Timeout: 1, Answer: func(_ context.Context, r *Request) (*Response, error) {
		asked++
		return &Response{Status: http.StatusTeapot, Body: []byte(r.URL)}, nil
	}})
	defer c.Close()
	got, err := c.Do(t.Context(), &Request{URL: "http://nobody.example.org/a"})
	if err != nil || got.Status != http.StatusTeapot || string(got.Body) != "http://nobody.example.org/a" {
		t.Errorf("%+v, %v", got, err)
	}
	var refused *Error
	for url, want := range map[string]Reason{"http://other.example.org/": Denied, "ftp://nobody.example.org/": Invalid} {
		if _, err := c.Do(t.Context(), &Request{URL: url}); !errors.As(err, &refused) || refused.Reason != want {
			t.Errorf("%s: %v", url, err)
		}
	}
	if asked != 1 {
		t.Errorf("%d requests were answered", asked)
	}
}
