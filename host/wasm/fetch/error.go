package fetch

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// Reason says why there is no answer to a request.
type Reason int

// The reasons.
const (
	Invalid  Reason = iota // the request is malformed, or asks for what no guest may
	Denied                 // the policy does not allow it
	Timeout                // there was none in time
	TooLarge               // it has more bytes than the policy allows
	Failed                 // no connection, or it broke
)

// Error is a request without an answer. Its text is for guests too: it names no
// address that the guest did not name.
type Error struct {
	Reason  Reason
	Why     string
	address netip.AddrPort // that was denied when it was dialled
}

func (e *Error) Error() string { return e.Why }

func invalid(format string, args ...any) *Error {
	return &Error{Reason: Invalid, Why: fmt.Sprintf(format, args...)}
}

// failure is the error of a request that was sent or tried, for an error of
// net/http.
func failure(err error) *Error {
	var (
		own     *Error
		name    *net.DNSError
		network net.Error
		op      *net.OpError
	)
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &network) && network.Timeout():
		return &Error{Reason: Timeout, Why: "the connection took too long"}
	case errors.As(err, &name):
		return &Error{Reason: Failed, Why: "the name of the host is not known: " + name.Err}
	case errors.As(err, &op):
		return &Error{Reason: Failed, Why: op.Op + ": " + op.Err.Error()}
	case strings.Contains(err.Error(), "response header"): // net/http has no error to compare with
		return &Error{Reason: TooLarge, Why: "the headers of the answer are larger than http.maxResponseBytes"}
	}
	return &Error{Reason: Failed, Why: err.Error()}
}
