package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/stream"
)

// report prints an error with all its parts.
func report(s stdio, asJSON bool, err error) {
	faults := config.Faults(err)
	if len(faults) == 0 {
		faults = []*stream.Error{{Code: stream.CodeOf(err), Why: err.Error()}}
	}
	if asJSON {
		printJSON(s.out, map[string]any{"ok": false, "exit": stream.ExitCode(err), "errors": faultsJSON(faults)})
		return
	}
	for _, f := range faults {
		fmt.Fprintln(s.err, "error:", f)
	}
	if len(faults) > 1 {
		fmt.Fprintf(s.err, "%d errors\n", len(faults))
	}
	if isTerminal(s.err) {
		fmt.Fprintln(s.err, hint(faults))
	}
}

// hint says where a person finds more about the codes of errors.
func hint(faults []*stream.Error) string {
	for _, f := range faults {
		if f.Code != faults[0].Code {
			return "wasmill explain CODE tells more about each code in brackets"
		}
	}
	return "wasmill explain " + string(faults[0].Code) + " tells more"
}

type faultJSON struct {
	Code  stream.Code `json:"code"`
	Where string      `json:"where,omitempty"`
	Why   string      `json:"why"`
	Fix   string      `json:"fix,omitempty"`
}

func faultsJSON(faults []*stream.Error) []faultJSON {
	out := make([]faultJSON, len(faults))
	for i, f := range faults {
		out[i] = faultJSON{f.Code, f.Where, f.Reason(), f.Fix}
	}
	return out
}

// printJSON writes one indented JSON value.
func printJSON(w io.Writer, v any) {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil && !errors.Is(err, io.ErrClosedPipe) {
		fmt.Fprintln(w, err)
	}
}
