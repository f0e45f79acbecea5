package pipeline

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// unreliable makes a transform fail: each record in a call that fails as a whole
// or alone, some a few times and with any latency. It notes the order in which
// records succeed.
type unreliable struct {
	fails
	mu   sync.Mutex
	made []string // guarded by mu; keys and values
}

func (x *unreliable) transform() stream.Transform {
	return batchFunc(func(in *stream.Batch, out *stream.Output) error {
		time.Sleep(time.Duration(hash("latency", string(in.Value(0)))%2000) * time.Microsecond)
		for i := range in.Records {
			value := string(in.Value(i))
			if fails, trap := x.fail(value); trap {
				return errBoom
			} else if fails {
				out.Failures = append(out.Failures, stream.Failure{Input: i, Reason: "not now"})
				continue
			}
			emit(out, in, i, in.Value(i), stream.Untagged)
		}
		if len(out.Failures) > 0 {
			return nil
		}
		x.mu.Lock()
		defer x.mu.Unlock()
		for i := range in.Records {
			x.made = append(x.made, string(in.Key(i))+" "+string(in.Value(i)))
		}
		return nil
	})
}

func TestRecordsOfAKeyStayInOrder(t *testing.T) {
	for _, attempts := range []int{1, 4} {
		for _, size := range []int{1, 3, 100} {
			t.Run(fmt.Sprintf("%d attempts, calls of %d", attempts, size), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					x := &unreliable{fails: fails{name: "x", attempts: attempts, tries: map[string]int{}}}
					v, a := usual("x", 8, x.transform()), &collect{}
					v.Order, v.Call.Records, v.CallTime = OrderKey, size, 0
					v.Retry = Retry{Attempts: attempts, Backoff: time.Millisecond, MaxBackoff: 10 * time.Millisecond}
					odd, even := &withKeys{numbers{first: 1000, count: 500, batch: 100}, 5}, &withKeys{numbers{count: 500, batch: 100}, 5}
					p := mustNew(t, graph([]Vertex{source("odd", odd), source("even", even), v, sink("a", a)}, "odd x", "even x", "x a"), Hooks{})
					if err := p.Run(t.Context(), nil); err != nil {
						t.Fatal(err)
					}
					if got, want := a.sorted(), slices.Concat(upTo(500), upTo(1500)[1000:]); !slices.Equal(got, want) {
						t.Errorf("%d records arrived, want 1000", len(got))
					}
					checkKeys(t, "results", a.values, 10)
					var made []string
					for _, m := range x.made {
						var key, value string
						fmt.Sscan(m, &key, &value)
						made = append(made, value)
					}
					checkKeys(t, "calls", made, 10)
				})
			})
		}
	}
}

// checkKeys holds that numbers with the same remainder, of the same thousand,
// come in their order.
func checkKeys(t *testing.T, what string, values []string, keys int) {
	t.Helper()
	next := map[string]int{}
	for _, v := range values {
		n, _ := strconv.Atoi(v)
		key := fmt.Sprint(n/1000, " ", n%(keys/2))
		if n%1000 != next[key]*(keys/2)+n%(keys/2) {
			t.Fatalf("%s: %d is number %d of its key", what, n, next[key])
		}
		next[key]++
	}
}

func TestOrderInputHoldsWithRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := &unreliable{fails: fails{name: "x", attempts: 4, tries: map[string]int{}}}
		v, a := usual("x", 8, x.transform()), &collect{}
		v.Order, v.Call.Records, v.Retry = OrderInput, 10, Retry{Attempts: 4, Backoff: time.Millisecond, MaxBackoff: time.Millisecond}
		p := mustNew(t, graph([]Vertex{source("in", &numbers{count: 2000, batch: 25}), v, sink("a", a)}, "in x", "x a"), Hooks{})
		if err := p.Run(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		for i, v := range a.values {
			if v != strconv.Itoa(i) {
				t.Fatalf("value %d is %s", i, v)
			}
		}
		if len(a.values) != 2000 {
			t.Errorf("%d records arrived", len(a.values))
		}
	})
}

func TestAKeyThatWaitsDoesNotHoldOthersBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := slow(func(n int) time.Duration {
			return map[bool]time.Duration{true: time.Hour, false: time.Millisecond}[n == 100]
		})
		v, a := usual("x", 4, x), &collect{}
		v.Order, v.Call.Records = OrderKey, 1
		_, stop := start(t, graph([]Vertex{source("in", &withKeys{numbers{count: 3000, batch: 10}, 10}), v, sink("a", a)}, "in x", "x a"))
		defer stop()
		time.Sleep(time.Minute)
		// Of 10 keys in 32 slots a few may share that of the one that waits.
		if n := a.count(); n < 3000*5/10 {
			t.Errorf("%d of 3000 records went by", n)
		}
	})
}
