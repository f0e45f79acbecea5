package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// maxEvent is the most of one server-sent event, in bytes.
const maxEvent = 4 << 20

// follow asks for server-sent events and calls each with every one, until that returns
// an error, the events end or ctx does, which are no errors.
func (c *client) follow(ctx context.Context, path string, each func(event, data string) error) error {
	asked, cancel := context.WithCancel(ctx)
	defer cancel()
	r, err := http.NewRequestWithContext(asked, http.MethodGet, c.base+path, nil)
	if err != nil {
		return err
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	late := time.AfterFunc(askTimeout, cancel)
	got, err := c.http.Do(r)
	late.Stop()
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return c.silent(err)
	}
	defer got.Body.Close()
	if got.StatusCode/100 != 2 {
		text, err := io.ReadAll(io.LimitReader(got.Body, maxAnswer))
		if err != nil {
			return c.silent(err)
		}
		return c.refusal(got.StatusCode, text)
	}
	if got.Header.Get("Content-Type") != "text/event-stream" {
		return c.stranger("it answers "+got.Status+" without events", nil)
	}
	lines := bufio.NewScanner(got.Body)
	lines.Buffer(nil, maxEvent)
	event := ""
	for lines.Scan() {
		if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			event = name
		} else if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			if err := each(event, data); err != nil {
				return err
			}
		}
	}
	if err := lines.Err(); err != nil && ctx.Err() == nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return c.silent(err)
	}
	return nil
}
