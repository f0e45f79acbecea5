package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/wasmill/wasmill/host/admin"
	"github.com/wasmill/wasmill/host/stream"
)

// maxProof bounds what answers the question for a proof, in bytes.
const maxProof = 4 << 10

// dialProven connects to the process, and lets it prove on that connection that it
// knows the token before anything is sent which has it: any user of this machine can
// listen at a free port. The error is a *stream.Error if the answer is wrong.
func (c *client) dialProven(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	unhook := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) }) // ends what waits
	err = c.prove(conn)
	if !unhook() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// prove asks for the proof and checks it.
func (c *client) prove(conn net.Conn) error {
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails
	nonce := hex.EncodeToString(random)
	if _, err := fmt.Fprintf(conn, "GET /proof?nonce=%s HTTP/1.1\r\nHost: %s\r\n\r\n", nonce, c.at); err != nil {
		return err
	}
	from := bufio.NewReader(io.LimitReader(conn, maxProof))
	answer, err := http.ReadResponse(from, nil)
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
		return err
	}
	if err != nil {
		return c.stranger("it does not answer as one", err)
	}
	text, err := io.ReadAll(answer.Body)
	switch {
	case err != nil:
		return c.stranger("its answer does not end", err)
	case answer.StatusCode == http.StatusNotFound && bytes.HasPrefix(text, []byte("this process has no token")):
		return c.locked()
	case answer.StatusCode != http.StatusOK:
		return c.stranger(answered(answer.StatusCode, text), nil)
	case len(text) != hex.EncodedLen(32):
		return c.stranger("it has no proof", nil)
	case !admin.Proven(string(text), c.token, nonce, conn.RemoteAddr()):
		return &stream.Error{Code: admin.APIToken, Where: c.at, Why: "what listens there does not know the token, which it was not sent", Fix: otherToken}
	case from.Buffered() > 0 || answer.Close:
		return c.stranger("it says more than it was asked", nil)
	}
	return nil
}

// locked says that a process has no token, so that it can be asked nothing.
func (c *client) locked() error {
	return &stream.Error{Code: admin.APIClosed, Where: c.at, Why: "that process could not make or read its token when it started, so nobody can ask it", Fix: "its log says why; mend that and start it again"}
}

// answered says how something answers that is not wasmill, or that is asked without TLS.
func answered(status int, text []byte) string {
	if status == http.StatusBadRequest && bytes.Contains(text, []byte("HTTP request to an HTTPS server")) {
		return "it speaks TLS, and was asked without; write --admin https://"
	}
	return fmt.Sprintf("it answers %d", status)
}
