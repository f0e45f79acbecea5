// Remember is an ordinary program: it counts words in a map, keeps them in a slice in
// the order of their first appearance, and looks at what programs look at by the way.
package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	wasmill "github.com/wasmill/wasmill/abi/sdk/go"
)

func init() {
	wasmill.Map(`{"name": "remember", "kind": "map"}`, remember)
	wasmill.Params(func(params []byte) error { greeting = string(params); return nil })
}

func main() {} // not called

var (
	greeting string
	counts   = make(map[string]*int)
	words    []string
	hoard    [][]byte
)

func remember(r *wasmill.Record, out *wasmill.Output) error {
	word := string(r.Value)
	switch {
	case word == "fail":
		return errors.New("as you like")
	case word == "first": // in an order that Go makes random
		for w, n := range counts {
			out.Buf = fmt.Appendf(out.Buf, "%s:%d ", w, *n)
		}
	case word == "outside":
		var b [3]byte
		rand.Read(b[:])
		out.Buf = fmt.Appendf(out.Buf, "%s %x %d", greeting, b, time.Now().UnixNano())
	case word == "hoard":
		hoard = append(hoard, []byte(strings.Repeat("x", 300_000)))
	}
	n := counts[word]
	if n == nil {
		n = new(int)
		counts[strings.Clone(word)] = n
		words = append(words, word)
	}
	*n++
	if word == "trap" {
		panic("as you like")
	}
	out.Buf = fmt.Appendf(out.Buf, "%s %d of %d, last %s, %d", word, *n, len(counts), words[len(words)-1], len(hoard))
	r.Value = out.Take()
	out.Emit(r)
	return nil
}
