//go:build wasm

package wasmill

import (
	"time"
	"unsafe"
)

// Capabilities are granted in the pipeline file, as in `grant: [log, clock]`. A
// plugin asks for one by calling its function here: what is not called is not imported.

// Levels of Log.
const (
	Debug, Info, Warn, Error int32 = 0, 1, 2, 3
)

// Log writes a line to the log of the host. It needs the capability log.
func Log(level int32, line string) {
	hostLog(level, unsafe.Pointer(unsafe.StringData(line)), uint32(len(line)))
}

// Now returns the wall clock in ns since 1970. It needs the capability clock.
func Now() int64 { return hostNow() }

// Random fills b with unpredictable bytes. It needs the capability random.
func Random(b []byte) { hostRandom(unsafe.Pointer(unsafe.SliceData(b)), uint32(len(b))) }

// Sleep waits. It needs the capability sleep.
func Sleep(d time.Duration) { hostSleep(int64(d)) }

// HTTP sends a request and waits for the whole answer; an error is an *HTTPError. It needs
// the capability http, and that the vertex lists the host: `http: {allow: [api.example.org]}`.
func HTTP(r *Request) (*Response, error) {
	sending = *r // which keeps its bytes off the stack, that may move
	request = httpRequest{
		method: spanOfString(sending.Method), url: spanOfString(sending.URL),
		headers: spanOf(sending.Headers), body: spanOf(sending.Body), timeout: int64(sending.Timeout),
	}
	result := hostHTTPRequest(unsafe.Pointer(&request))
	answer := make([]byte, uint32(result))
	hostHTTPResponse(unsafe.Pointer(unsafe.SliceData(answer)), uint32(len(answer)))
	sending = Request{}
	return takeAnswer(int32(result>>32), answer)
}

//go:wasmimport wasmill log
func hostLog(level int32, at unsafe.Pointer, length uint32)

//go:wasmimport wasmill now
func hostNow() int64

//go:wasmimport wasmill random
func hostRandom(at unsafe.Pointer, length uint32)

//go:wasmimport wasmill sleep
func hostSleep(ns int64)

//go:wasmimport wasmill http_request
func hostHTTPRequest(request unsafe.Pointer) uint64

//go:wasmimport wasmill http_response
func hostHTTPResponse(at unsafe.Pointer, length uint32)

// What the host reads while it sends a request.
var (
	sending Request
	request httpRequest
)

type httpRequest struct {
	method, url, headers, body span
	timeout                    int64
}
