package wasmill

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/wasmill/wasmill/abi"
)

// call has f handle a frame of records with these values. The native build has the frame
// at a truncated address, which does not matter: addresses only count within the arena.
func call(f Func, values ...string) []Result {
	Map(`{}`, f)
	size := abi.HeaderSize + len(values)*abi.InSize
	for _, v := range values {
		size += len(v)
	}
	at := input(uint32(size))
	header := abi.Header{Count: uint32(len(values)), Records: at + abi.HeaderSize, Now: 1, Watermark: 2, Seed: 3}
	header.Put((*[abi.HeaderSize]byte)(arena))
	next := uint32(abi.HeaderSize + len(values)*abi.InSize)
	for i, v := range values {
		in := abi.In{Time: int64(i), Value: abi.Ref{Addr: at + next, Len: uint32(len(v))}}
		if v == "" {
			in.Value.Addr = 0xdeadbeef
		}
		if v == "reserved" {
			in.Kind = 1
		}
		in.Put((*[abi.InSize]byte)(arena[abi.HeaderSize+i*abi.InSize:]))
		next += uint32(copy(arena[next:], v))
	}
	process(at)
	return out.Results
}

func TestResults(t *testing.T) {
	got := call(func(r *Record, out *Output) error {
		switch string(r.Value) {
		case "drop":
			return nil
		case "bad":
			out.Emit(r)
			return errors.New("no good")
		}
		out.EmitTag(r, "as it was")
		out.Buf = fmt.Appendf(out.Buf, "%s at %d", r.Value, out.Now+out.Watermark+int64(out.Seed))
		r.Value = out.Take()
		out.Emit(r)
		return nil
	}, "a", "drop", "", "reserved", "bad")
	want := "0/a/as it was/0 0/a at 6//0 2//as it was/0 2/ at 6//0 4/no good//1 "
	var text string
	for _, r := range got {
		text += fmt.Sprintf("%d/%s/%s/%d ", r.input, r.Value, r.Tag, r.outcome)
	}
	if text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	for i, e := range entries[:len(got)] {
		if e.input != got[i].input || e.value != spanOf(got[i].Value) || e.tag.len != uint32(len(got[i].Tag)) {
			t.Errorf("entry %d is %+v, the result %+v", i, e, got[i])
		}
	}
}

func TestBytesThatWereTakenSurviveTheGrowthOfBuf(t *testing.T) {
	values := make([]string, 1000)
	for i := range values {
		values[i] = fmt.Sprint(i)
	}
	for range 2 {
		for i, r := range call(func(r *Record, out *Output) error {
			out.Buf = append(append(out.Buf, r.Value...), bytes.Repeat([]byte{'-'}, 50)...)
			r.Value = out.Take()
			out.Emit(r)
			return nil
		}, values...) {
			if want := values[i] + "--------------------------------------------------"; string(r.Value) != want {
				t.Fatalf("result %d is %q", i, r.Value)
			}
		}
	}
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	call(func(r *Record, out *Output) error {
		out.Buf = append(append(out.Buf, "more "...), r.Value...)
		r.Value = out.Take()
		out.EmitTag(r, "x")
		out.Emit(r)
		return nil
	}, make([]string, 500)...)
	at := spanOf(arena).addr
	if n := testing.AllocsPerRun(10, func() { process(at) }); n > 0 {
		t.Errorf("%v allocations per call", n)
	}
}

func TestHeaders(t *testing.T) {
	h := Headers(abi.AppendHeader(nil, "a", []byte("1"))).Append("b", "").Append("", "22")
	if want := abi.AppendHeader(abi.AppendHeader(abi.AppendHeader(nil, "a", []byte("1")), "b", nil), "", []byte("22")); !bytes.Equal(h, want) {
		t.Fatalf("got block %q, want %q", h, want)
	}
	var text string
	for name, value, rest, ok := h.Next(); ok; name, value, rest, ok = rest.Next() {
		text += fmt.Sprintf("%s=%s ", name, value)
	}
	if text != "a=1 b= =22 " {
		t.Errorf("got %q", text)
	}
}

func TestTheInputArenaOnlyGrows(t *testing.T) {
	arena = nil
	last := 0
	for size := uint32(1); size < 1<<20; size = size*5/4 + 1 {
		at := input(size)
		if at%8 != 0 || uint32(len(arena)) < size || len(arena) != last && len(arena) < 2*last {
			t.Fatalf("%d bytes were asked for, %d given at %#x after %d", size, len(arena), at, last)
		}
		last = len(arena)
	}
}

func TestHTTPWithoutAHost(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Got", r.Header.Get("X-Sent"))
		http.Redirect(w, r, "/elsewhere", http.StatusSeeOther)
	}))
	defer s.Close()
	got, err := HTTP(&Request{URL: s.URL, Method: "PUT", Headers: Headers(nil).Append("X-Sent", "1")})
	if err != nil || got.Status != http.StatusSeeOther {
		t.Fatalf("got %+v, %v", got, err)
	}
	if v, ok := abi.LookupHeader(got.Headers, "x-got"); !ok || string(v) != "1" {
		t.Errorf("headers %q", got.Headers)
	}
	var none *HTTPError
	if _, err := HTTP(&Request{URL: "http://127.0.0.1:0"}); !errors.As(err, &none) || none.Reason != HTTPFailed {
		t.Errorf("got %v", err)
	}
}

func TestAnswersOfTheHost(t *testing.T) {
	block := Headers(nil).Append("a", "b")
	got, err := takeAnswer(404, abi.HTTPAnswer(block, []byte("body")))
	if err != nil || got.Status != 404 || !bytes.Equal(got.Headers, block) || string(got.Body) != "body" {
		t.Errorf("got %+v, %v", got, err)
	}
	var none *HTTPError
	if _, err := takeAnswer(abi.HTTPDenied, []byte("why")); !errors.As(err, &none) || none.Reason != HTTPDenied || none.Error() != "why" {
		t.Errorf("got %v", err)
	}
}
