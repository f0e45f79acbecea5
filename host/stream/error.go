package stream

import (
	"errors"
	"strings"
)

// Code names one kind of error for people and scripts. Codes are stable.
type Code string

// Error is an error that a person can act on. It prints as
//
//	where: why [code]
//	  fix: what to do
type Error struct {
	Code  Code
	Where string // file:line:col, vertex, plugin or record; may be empty
	Why   string // the cause, in one sentence
	Fix   string // what to do; may be empty
	Err   error  // what lies underneath; may be nil
}

func (e *Error) Error() string {
	var s strings.Builder
	if e.Where != "" {
		s.WriteString(e.Where + ": ")
	}
	s.WriteString(e.Reason())
	s.WriteString(" [" + string(e.Code) + "]")
	if e.Fix != "" {
		s.WriteString("\n  fix: " + e.Fix)
	}
	return s.String()
}

// Reason returns the cause without place, code and fix.
func (e *Error) Reason() string {
	if e.Err == nil {
		return e.Why
	}
	if below, ok := e.Err.(*Error); ok {
		return e.Why + ": " + below.Reason()
	}
	return e.Why + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the code of the outermost Error in err's chain, or Internal.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}

// Exit codes of the process, by what has to change before the next try.
const (
	ExitInternal    = 1 // wasmill itself
	ExitInput       = 2 // what the user wrote: config, plugin, data
	ExitEnvironment = 3 // the store, a broker, permissions, disk
	ExitFenced      = 4 // another writer took over
)

// ExitCode returns the process exit code for an error: 0 for nil, ExitInternal
// for one without a code, and for several joined errors that of the first.
func ExitCode(err error) int {
	if err == nil {
		return 0
	}
	code := CodeOf(err)
	if exit, ok := exits[code]; ok {
		return exit
	}
	return ExitInput
}
