package abi

import "encoding/binary"

// HTTPRequestSize is the size in bytes of what http_request gets the address of.
const HTTPRequestSize = 40

// What http_request says instead of a status if there is no answer, ABI.md §5.1.
const (
	HTTPInvalid  int32 = -1 // the request is malformed
	HTTPDenied   int32 = -2 // the vertex does not allow it
	HTTPTimeout  int32 = -3
	HTTPTooLarge int32 = -4 // the answer
	HTTPFailed   int32 = -5 // no connection, or it broke
)

// HTTPRequest is a request as a guest lays it out: unchecked.
type HTTPRequest struct {
	Method, URL, Headers, Body Ref
	Timeout                    int64 // ns
}

// Put writes the request to dst.
func (r *HTTPRequest) Put(dst *[HTTPRequestSize]byte) {
	putRef(dst[0:8], r.Method)
	putRef(dst[8:16], r.URL)
	putRef(dst[16:24], r.Headers)
	putRef(dst[24:32], r.Body)
	binary.LittleEndian.PutUint64(dst[32:], uint64(r.Timeout))
}

// Take reads a request from src.
func (r *HTTPRequest) Take(src *[HTTPRequestSize]byte) {
	r.Method, r.URL, r.Headers, r.Body = takeRef(src[0:8]), takeRef(src[8:16]), takeRef(src[16:24]), takeRef(src[24:32])
	r.Timeout = int64(binary.LittleEndian.Uint64(src[32:]))
}

// HTTPAnswer lays out what http_response writes: the length of a header block,
// the block, and a body.
func HTTPAnswer(headers, body []byte) []byte {
	answer := make([]byte, 0, 4+len(headers)+len(body))
	answer = binary.LittleEndian.AppendUint32(answer, uint32(len(headers)))
	return append(append(answer, headers...), body...)
}

// PackHTTP is the result of http_request for a status and the length of an answer.
func PackHTTP(status int32, length int) uint64 {
	return uint64(uint32(status))<<32 | uint64(uint32(length))
}
