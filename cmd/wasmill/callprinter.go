package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/suite"
)

// callPrinter prints what a plugin made of records.
type callPrinter struct {
	out  io.Writer
	json bool
	many bool // there are several records, so that it says of which something is
}

// calledJSON is a line of --json: a result, a failure, or what is kept.
type calledJSON struct {
	Record int `json:"record,omitempty"` // that it is of, from 1; 0 = time had ended

	Tag         string            `json:"tag,omitempty"`
	Time        string            `json:"time,omitempty"`
	Key         *string           `json:"key,omitempty"`
	KeyBase64   []byte            `json:"key_base64,omitempty"` // if it is no text
	Headers     map[string]string `json:"headers,omitempty"`
	Value       *string           `json:"value,omitempty"`
	ValueBase64 []byte            `json:"value_base64,omitempty"` // if it is no text

	Error *faultJSON      `json:"error,omitempty"`
	State json.RawMessage `json:"state,omitempty"`
}

// print prints all, and returns how the process is to end.
func (p *callPrinter) print(c *suite.Called) error {
	failed := c.Failures
	next := func(record int) { // failures up to a record
		for len(failed) > 0 && (failed[0].Record <= record && failed[0].Record > 0 || record < 0) {
			p.failure(&failed[0])
			failed = failed[1:]
		}
	}
	kept := false
	keep := func() {
		if !kept {
			p.kept(c.Kept)
		}
		kept = true
	}
	for i := range c.Results {
		r := &c.Results[i]
		if next(r.Input); r.Input == 0 {
			for len(failed) > 0 && failed[0].Record > 0 {
				next(failed[0].Record)
			}
			keep()
		}
		p.result(r)
	}
	for len(failed) > 0 && failed[0].Record > 0 {
		next(failed[0].Record)
	}
	keep()
	next(-1)
	if len(c.Failures) > 0 {
		return exitError(stream.ExitInput)
	}
	return nil
}

func (p *callPrinter) result(r *suite.Record) {
	if p.json {
		one := calledJSON{Record: r.Input, Tag: r.Tag, Time: time.Unix(0, r.Time).UTC().Format(time.RFC3339Nano)}
		if len(r.Key) > 0 {
			one.Key, one.KeyBase64 = textOr(r.Key)
		}
		one.Value, one.ValueBase64 = textOr(r.Value)
		for _, h := range r.Headers {
			if one.Headers == nil {
				one.Headers = make(map[string]string)
			}
			one.Headers[h.Name] = h.Value
		}
		p.line(one)
		return
	}
	parts := p.of(r.Input)
	if r.Time != 0 {
		parts = append(parts, time.Unix(0, r.Time).UTC().Format(time.RFC3339Nano))
	}
	if r.Tag != "" {
		parts = append(parts, "#"+safe(r.Tag))
	}
	if len(r.Key) > 0 {
		parts = append(parts, "key="+safe(string(r.Key)))
	}
	for _, h := range r.Headers {
		parts = append(parts, safe(h.Name)+"="+safe(h.Value))
	}
	fmt.Fprintln(p.out, strings.Join(append(parts, safe(string(r.Value))), " "))
}

func (p *callPrinter) failure(f *suite.Failure) {
	if p.json {
		p.line(calledJSON{Record: f.Record, Error: &faultJSON{Code: f.Code(), Why: f.Reason()}})
		return
	}
	fmt.Fprintln(p.out, strings.Join(append(p.of(f.Record), "failed: "+safe(f.Reason())+" ["+string(f.Code())+"]"), " "))
}

// kept prints the entries of state.
func (p *callPrinter) kept(entries []string) {
	for _, e := range entries {
		if p.json {
			p.line(calledJSON{State: json.RawMessage(e)})
		} else {
			fmt.Fprintln(p.out, "state: "+safe(e))
		}
	}
}

// of says which record something is of, if there are several.
func (p *callPrinter) of(record int) []string {
	switch {
	case record == 0:
		return []string{"end:"}
	case p.many:
		return []string{fmt.Sprintf("%d:", record)}
	}
	return nil
}

func (p *callPrinter) line(v calledJSON) {
	e := json.NewEncoder(p.out)
	e.SetEscapeHTML(false)
	_ = e.Encode(v)
}

// textOr returns bytes as text, or if they are none as they are.
func textOr(b []byte) (*string, []byte) {
	if !utf8.Valid(b) {
		return nil, b
	}
	text := string(b)
	return &text, nil
}
