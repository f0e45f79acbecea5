package stream

import (
	"fmt"
	"testing"
	"unsafe"
)

func TestARecordHas48Bytes(t *testing.T) {
	if n := unsafe.Sizeof(Record{}); n != 48 {
		t.Errorf("it has %d", n)
	}
}

// TestACopyOfARecordHasItsBytes lays the parts of a record in every order, with and
// without gaps, and leaves some out.
func TestACopyOfARecordHasItsBytes(t *testing.T) {
	parts := [3]string{"key", "a value", "headers"}
	for n := range 6 * 8 * 2 {
		order, empty, gaps := n%6, n/6%8, n/48 == 1
		first := order % 3
		second := (first + 1 + order/3) % 3
		var from Batch
		var spans [3]Span
		from.Store([]byte("before"))
		for _, p := range []int{first, second, 3 - first - second} {
			if empty>>p&1 == 1 {
				continue
			}
			if spans[p] = from.Store([]byte(parts[p])); gaps {
				from.Store([]byte("-"))
			}
		}
		from.Records = append(from.Records, Record{Time: 7, Seq: 3, Key: spans[0], Value: spans[1], Headers: spans[2], Port: 2})
		to := &Batch{}
		to.Append(1, []byte("k"), nil, []byte("h"))
		to.AppendFrom(&from, 0)
		got := fmt.Sprintf("%q %q %q", to.Key(1), to.Value(1), to.Headers(1))
		if want := fmt.Sprintf("%q %q %q", from.Key(0), from.Value(0), from.Headers(0)); got != want {
			t.Errorf("order %d without %b: got %s, want %s", order, empty, got, want)
		}
		if got := fmt.Sprintf("%q %q %q", to.Key(0), to.Value(0), to.Headers(0)); got != `"k" "" "h"` {
			t.Errorf("the record before it is %s", got)
		}
		if r := to.Records[1]; r.Time != 7 || r.Seq != 3 || r.Port != 2 {
			t.Errorf("got %+v", r)
		}
	}
}
