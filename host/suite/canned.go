package suite

import (
	"slices"
	"strings"
	"sync"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/control"
	"github.com/wasmill/wasmill/host/stream"
)

// canned answers requests as a test says.
type canned struct {
	answers []config.Answer

	mu         sync.Mutex
	given      []bool   // guarded by mu
	unanswered []string // guarded by mu; each once
}

// answer implements control.Answerer: of the answers that fit it gives the first that was
// not given yet, else the last.
func (c *canned) answer(_ stream.VertexID, q control.Request) (control.Answer, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := -1
	for i := range c.answers {
		if a := &c.answers[i]; a.URL == q.URL && (a.Method == "" || strings.EqualFold(a.Method, q.Method)) {
			if at = i; !c.given[i] {
				break
			}
		}
	}
	if at < 0 {
		if text := q.Method + " " + q.URL; !slices.Contains(c.unanswered, text) {
			c.unanswered = append(c.unanswered, text)
		}
		return control.Answer{}, false
	}
	c.given[at] = true
	a := &c.answers[at]
	return control.Answer{Status: a.Status, Headers: a.Headers, Body: a.Bytes()}, !a.Fail
}
