package wasm

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/wasm/fetch"
)

// unanswered are the statuses of requests without an answer.
var unanswered = [...]int32{
	fetch.Invalid:  abi.HTTPInvalid,
	fetch.Denied:   abi.HTTPDenied,
	fetch.Timeout:  abi.HTTPTimeout,
	fetch.TooLarge: abi.HTTPTooLarge,
	fetch.Failed:   abi.HTTPFailed,
}

// httpRequest implements http_request. What it answers is kept for httpResponse.
func (i *instance) httpRequest(m api.Memory, stack []uint64) error {
	q, err := takeRequest(m, uint32(stack[0]))
	if err != nil {
		return err
	}
	i.answer = nil
	var (
		status   int32
		response *fetch.Response
		none     *fetch.Error
	)
	err = i.wait(func(ctx context.Context) (err error) {
		response, err = cmp.Or(i.vertex.http, &fetch.Client{}).Do(ctx, q)
		return err
	})
	switch {
	case errors.As(err, &none):
		status, i.answer = unanswered[none.Reason], []byte(none.Error())
	case err != nil:
		return err
	default:
		status, i.answer = int32(response.Status), abi.HTTPAnswer(headerBlock(response.Header), response.Body)
	}
	stack[0] = abi.PackHTTP(status, len(i.answer))
	return nil
}

// takeRequest copies a request out of a guest's memory.
func takeRequest(m api.Memory, addr uint32) (*fetch.Request, error) {
	if addr%abi.Align != 0 {
		return nil, fmt.Errorf("request at %#x is not a multiple of %d", addr, abi.Align)
	}
	raw, ok := m.Read(addr, abi.HTTPRequestSize)
	if !ok {
		return nil, errRange
	}
	var r abi.HTTPRequest
	r.Take((*[abi.HTTPRequestSize]byte)(raw))
	memory, _ := m.Read(0, m.Size())
	var parts [4][]byte
	for k, ref := range []abi.Ref{r.Method, r.URL, r.Headers, r.Body} {
		if parts[k], ok = ref.In(memory); !ok {
			return nil, errRange
		}
	}
	if !abi.ValidHeaders(parts[2]) {
		return nil, errors.New("header block is malformed")
	}
	q := &fetch.Request{
		Method: string(parts[0]), URL: string(parts[1]),
		Body:    bytes.Clone(parts[3]), // the connection may read it while the guest runs again
		Timeout: time.Duration(r.Timeout),
	}
	for name, value, rest, ok := abi.NextHeader(parts[2]); ok; name, value, rest, ok = abi.NextHeader(rest) {
		q.Header = append(q.Header, fetch.Header{Name: string(name), Value: string(value)})
	}
	return q, nil
}

// headerBlock lists headers in the order of their names, which are in lower case.
func headerBlock(h http.Header) (block []byte) {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[name] {
			block = abi.AppendHeader(block, strings.ToLower(name), []byte(value))
		}
	}
	return block
}

// httpResponse implements http_response. The answer can be fetched once.
func (i *instance) httpResponse(m api.Memory, stack []uint64) error {
	if n := uint32(stack[1]); n == 0 || n != uint32(len(i.answer)) {
		return fmt.Errorf("length is %d, but %d bytes are there to fetch", n, len(i.answer))
	}
	if !m.Write(uint32(stack[0]), i.answer) {
		return errRange
	}
	i.answer = nil
	return nil
}
