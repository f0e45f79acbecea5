package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"syscall"
	"time"
)

// Policy is what a client may do.
type Policy struct {
	Allow    []Rule
	MaxBytes int64         // of an answer, headers and body
	Timeout  time.Duration // of a request, from its look-up to the last byte
	Conns    int           // most connections to a host, and most that are kept
	// Denied is told of every denial: where the request should have gone, without
	// path and query, and why not. The text may be the guest's: escape it. nil =
	// nobody listens.
	Denied func(target, why string)
	// Answer answers what the rules allow, instead of the network. Its error is an *Error.
	// nil = the network does.
	Answer func(context.Context, *Request) (*Response, error)
}

// Client makes requests, for many goroutines at once. The zero value denies all.
type Client struct {
	policy    Policy
	dialer    *net.Dialer
	transport *http.Transport
}

// keepIdle is how long a connection is kept that nobody uses.
const keepIdle = 90 * time.Second

// New returns a client.
func New(p Policy) *Client {
	c := &Client{policy: p}
	c.dialer = &net.Dialer{Timeout: p.Timeout, ControlContext: c.control}
	c.transport = &http.Transport{
		Proxy:                  nil, // that of the environment is not for guests
		DialContext:            c.dialer.DialContext,
		DisableCompression:     true, // so that MaxBytes bounds what a guest gets
		ForceAttemptHTTP2:      true,
		MaxConnsPerHost:        p.Conns,
		MaxIdleConns:           p.Conns,
		MaxIdleConnsPerHost:    p.Conns,
		IdleConnTimeout:        keepIdle,
		TLSHandshakeTimeout:    p.Timeout,
		MaxResponseHeaderBytes: p.MaxBytes,
	}
	return c
}

var errTimeout = errors.New("there was no answer in time")

// Do makes a request and waits for the whole answer. Its error is an *Error, or
// the cause of ctx's end. A redirect is an answer like any other.
func (c *Client) Do(ctx context.Context, r *Request) (*Response, error) {
	timeout := c.policy.Timeout
	if r.Timeout > 0 {
		timeout = min(timeout, r.Timeout)
	}
	limited, cancel := context.WithTimeoutCause(ctx, timeout, errTimeout)
	defer cancel()
	q, to, refused := r.build(limited)
	if refused != nil {
		return nil, c.denied(to, refused)
	}
	if !slices.ContainsFunc(c.policy.Allow, func(r Rule) bool { return r.allows(to) }) {
		return nil, c.denied(to, &Error{Reason: Denied, Why: fmt.Sprintf("%s://%s is not listed in http.allow", to.scheme, to)})
	}
	if c.policy.Answer != nil {
		return c.policy.Answer(ctx, r)
	}
	answer, err := c.roundTrip(q)
	switch {
	case err == nil:
		return answer, nil
	case context.Cause(limited) == errTimeout:
		return nil, &Error{Reason: Timeout, Why: fmt.Sprintf("there was no answer in %v", timeout)}
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	}
	return nil, c.denied(to, failure(err))
}

func (c *Client) roundTrip(q *http.Request) (*Response, error) {
	resp, err := c.transport.RoundTrip(q)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close() // one that is read to its end leaves the connection for others
	room := c.policy.MaxBytes
	for name, values := range resp.Header {
		for _, v := range values {
			room -= int64(len(name) + len(v))
		}
	}
	var body []byte
	if room >= max(0, resp.ContentLength) || q.Method == http.MethodHead {
		if body, err = io.ReadAll(io.LimitReader(resp.Body, room+1)); err != nil {
			return nil, err
		}
		room -= int64(len(body))
	} else {
		room = -1
	}
	if room < 0 {
		return nil, &Error{Reason: TooLarge, Why: fmt.Sprintf("the answer is larger than http.maxResponseBytes, %d", c.policy.MaxBytes)}
	}
	return &Response{Status: resp.StatusCode, Header: resp.Header, Body: body}, nil
}

// denied reports an error that is a denial, and returns it.
func (c *Client) denied(to target, e *Error) *Error {
	if e.Reason == Denied && c.policy.Denied != nil {
		why := e.Why
		if e.address.IsValid() {
			why += ", " + e.address.String()
		}
		c.policy.Denied(to.scheme+"://"+to.String(), why)
	}
	return e
}

// control checks an address that is about to be dialled, whatever name led to it.
func (c *Client) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return &Error{Reason: Denied, Why: "what the host resolves to is no address"}
	}
	at = netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
	what := refusal(at.Addr())
	if what == "" || slices.ContainsFunc(c.policy.Allow, func(r Rule) bool { return r.address == at.Addr() && r.port == at.Port() }) {
		return nil
	}
	return &Error{Reason: Denied, Why: fmt.Sprintf("the host resolves to a %s address that is not listed in http.allow", what), address: at}
}

// Close closes connections that nobody uses, and others when their request ends.
func (c *Client) Close() {
	if c.transport != nil {
		c.transport.CloseIdleConnections()
	}
}
