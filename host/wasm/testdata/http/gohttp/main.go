// Gohttp asks for the URL that its record is, with the key as body, and answers with what
// it got.
package main

import (
	"errors"
	"fmt"
	"time"

	wasmill "github.com/wasmill/wasmill/abi/sdk/go"
)

func init() { wasmill.Map(`{"name": "gohttp", "kind": "map"}`, ask) }

func main() {} // not called

func ask(r *wasmill.Record, out *wasmill.Output) error {
	wasmill.Sleep(time.Microsecond)
	answer, err := wasmill.HTTP(&wasmill.Request{
		Method: "POST", URL: string(r.Value), Headers: wasmill.Headers(nil).Append("x-guest", "yes"), Body: r.Key, Timeout: 5 * time.Second,
	})
	if none := (*wasmill.HTTPError)(nil); errors.As(err, &none) {
		return fmt.Errorf("%d: %s", none.Reason, none.Message)
	}
	r.Headers = answer.Headers
	out.Buf = fmt.Appendf(out.Buf, "%d %s", answer.Status, answer.Body)
	r.Value = out.Take()
	out.Emit(r)
	return nil
}
