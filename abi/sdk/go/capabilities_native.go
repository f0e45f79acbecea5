//go:build !wasm

package wasmill

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"io"
	"log"
	"net/http"
	"time"
)

// What follows stands in for the host in the tests of a plugin, see capabilities.go.

// Levels of Log.
const (
	Debug, Info, Warn, Error int32 = 0, 1, 2, 3
)

// Log writes a line to standard error.
func Log(level int32, line string) { log.Printf("level %d: %s", level, line) }

// Now returns the wall clock in ns since 1970.
func Now() int64 { return time.Now().UnixNano() }

// Random fills b with unpredictable bytes.
func Random(b []byte) { rand.Read(b) }

// Sleep waits.
func Sleep(d time.Duration) { time.Sleep(d) }

// HTTP sends a request to any host; an error is an *HTTPError.
func HTTP(r *Request) (*Response, error) {
	fail := func(reason int32, err error) (*Response, error) { return nil, &HTTPError{reason, err.Error()} }
	q, err := http.NewRequest(cmp.Or(r.Method, "GET"), r.URL, bytes.NewReader(r.Body))
	if err != nil {
		return fail(HTTPInvalid, err)
	}
	for name, value, rest, ok := r.Headers.Next(); ok; name, value, rest, ok = rest.Next() {
		q.Header.Add(string(name), string(value))
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := (&http.Client{Timeout: cmp.Or(r.Timeout, 10*time.Second), CheckRedirect: stay}).Do(q)
	if err != nil {
		return fail(HTTPFailed, err)
	}
	defer resp.Body.Close()
	answer := &Response{Status: resp.StatusCode}
	for name, values := range resp.Header {
		for _, value := range values {
			answer.Headers = answer.Headers.Append(string(bytes.ToLower([]byte(name))), value)
		}
	}
	if answer.Body, err = io.ReadAll(resp.Body); err != nil {
		return fail(HTTPFailed, err)
	}
	return answer, nil
}
