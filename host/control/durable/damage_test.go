package durable_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/checkpoint/s3"
	"github.com/wasmill/wasmill/checkpoint/storetest"
	"github.com/wasmill/wasmill/checkpoint/storetest/s3server"
	"github.com/wasmill/wasmill/host/control/durable"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
)

// copyTo copies all objects but one, which damage changes; nil for none.
func (w *world) copyTo(other *world, name string, damage func([]byte) []byte) {
	w.Helper()
	from, to := w.place.Open(), other.place.Open()
	for o, err := range from.List(w.Context(), "") {
		if err != nil {
			w.Fatal(err)
		}
		data, err := from.Get(w.Context(), o.Name)
		if err != nil {
			w.Fatal(err)
		}
		if data = bytes.Clone(data); o.Name == name {
			if data = damage(data); data == nil {
				continue
			}
		}
		if err := to.Put(w.Context(), o.Name, data); err != nil {
			w.Fatal(err)
		}
	}
}

// TestDamageOfAnyObjectOfTheNewestCheckpointLeadsToTheOneBefore flips a bit in, cuts
// and deletes each of them.
func TestDamageOfAnyObjectOfTheNewestCheckpointLeadsToTheOneBefore(t *testing.T) {
	inTime(t, func(t *testing.T, w *world) {
		w.slow, w.pad = func(string) time.Duration { return 10 * time.Millisecond }, 2000
		l := w.begin()
		w.sleep(450 * time.Millisecond)
		l.kill()
		newest := w.manifest(0)
		objects := []string{fmt.Sprintf("p/epochs/%020d", newest.Epoch), "p/" + newest.Name()}
		for _, o := range newest.Objects {
			objects = append(objects, "p/"+o.Name)
		}
		if len(objects) < 3 {
			t.Fatalf("the checkpoint has only %v", objects)
		}
		for _, name := range objects {
			for how, damage := range map[string]func([]byte) []byte{
				"a flipped bit": func(data []byte) []byte { data[len(data)/2] ^= 4; return data },
				"a cut":         func(data []byte) []byte { return data[:len(data)/2] },
				"a deletion":    func([]byte) []byte { return nil },
			} {
				other := newWorld(t)
				other.slow = w.slow
				w.copyTo(other, name, damage)
				l := other.begin()
				w.sleep(10 * time.Millisecond)
				if len(other.damaged) != 1 || other.damaged[0] != newest.Epoch || other.restored.Epoch != newest.Epoch-1 {
					t.Errorf("%s of %s: damaged %v, restored %d, the newest is %d", how, name, other.damaged, other.restored.Epoch, newest.Epoch)
				}
				l.kill()
			}
		}
	})
}

// TestWithoutAnyCheckpointThatCanBeReadNothingStarts damages all.
func TestWithoutAnyCheckpointThatCanBeReadNothingStarts(t *testing.T) {
	inTime(t, func(t *testing.T, w *world) {
		l := w.begin()
		w.sleep(450 * time.Millisecond)
		l.kill()
		for _, kind := range []string{"/epochs/", "/manifest.json"} {
			other := newWorld(t)
			w.copyTo(other, "", nil)
			store := other.place.Open()
			for o := range store.List(t.Context(), "") {
				if strings.Contains(o.Name, kind) {
					if err := store.Put(t.Context(), o.Name, []byte("{}")); err != nil {
						t.Fatal(err)
					}
				}
			}
			err := <-other.begin().done
			if stream.CodeOf(err) != stream.CheckpointUnreadable || stream.ExitCode(err) != stream.ExitEnvironment || len(other.out.shown) > 0 {
				t.Errorf("all of %s: %v", kind, err)
			}
		}
	})
}

// TestAStoreThatIsAwayTakesNoMemory lets it hang while state changes.
func TestAStoreThatIsAwayTakesNoMemory(t *testing.T) {
	away := 3 * time.Second
	if os.Getenv("SOAK") != "" {
		away = time.Minute
	}
	store := &storetest.Faulty{Store: new(storetest.Place).Open()}
	v := &visits{keys: 20_000, key: shortKey, value: make([]byte, 92)}
	v.limit.Store(1 << 62)
	v.perTick.Store(50)
	b := newBench(t, v, func(context.Context) (checkpoint.Store, error) { return store, nil }, checkpoint.Settings{Timeout: time.Minute})
	b.tolerate(100 * time.Millisecond)
	b.reach(20_000)
	b.checkpoint()
	before := heap()
	store.Break(storetest.All, "", 0, storetest.Fault{Hang: true})
	from := b.counted()
	time.Sleep(away)
	b.reach(from + 1000) // records go on
	grown := int64(heap()) - int64(before)
	if grown > 64<<20 {
		t.Errorf("it takes %d bytes more", grown)
	}
	store.Heal()
	b.checkpoint()
	b.stop()
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestASlowStoreNeverHasAPartOfACheckpoint looks at it all the time.
func TestASlowStoreNeverHasAPartOfACheckpoint(t *testing.T) {
	latency, lasts := 150*time.Millisecond, 4*time.Second
	if os.Getenv("SOAK") != "" {
		latency, lasts = 2*time.Second, time.Minute
	}
	server := s3server.Start()
	defer server.Close()
	open := func(context.Context) (checkpoint.Store, error) {
		s, err := s3.New(s3.Config{
			Endpoint: server.Endpoint(), Bucket: server.Bucket, PathStyle: true,
			Credentials: s3.Credentials{AccessKey: server.AccessKey, SecretKey: server.SecretKey}, RequestTimeout: time.Minute,
		})
		if err != nil {
			return nil, err
		}
		return s, nil
	}
	w := newWorld(t)
	w.slow, w.pad = func(string) time.Duration { return 5 * time.Millisecond }, 500
	w.change = func(c *durable.Config) { c.Open = open }
	l := w.begin()
	server.Break("PUT", "data-", 3, s3server.Fault{Drop: true})
	server.Break("PUT", "", 0, s3server.Fault{Delay: latency, Rate: 64 << 10})
	store, err := open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	r := &checkpoint.Reader{Store: store, Pipeline: "p"}
	seen := stream.Epoch(0)
	for began := time.Now(); time.Since(began) < lasts || seen < 2 && time.Since(began) < time.Minute; {
		out, err := r.Restore(t.Context(), func(*checkpoint.Manifest) (func(checkpoint.RestoredPart) error, error) {
			return func(checkpoint.RestoredPart) error { return nil }, nil
		})
		if err != nil || len(out.Skipped) > 0 {
			t.Fatalf("%v, %+v", err, out)
		}
		if out.Manifest != nil {
			seen = out.Manifest.Epoch
		}
	}
	if seen < 2 {
		t.Errorf("only %d checkpoints were stored", seen)
	}
	server.Heal()
	l.Drain()
	if err := <-l.done; err != nil {
		t.Fatal(err)
	}
	highest, err := r.Highest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	m, err := r.Manifest(t.Context(), highest)
	if err != nil {
		t.Fatal(err)
	}
	w.expect(position(t, m))
}

// TestTheLossOfAnAnswerIsNoFailure loses that of each step of publishing.
func TestTheLossOfAnAnswerIsNoFailure(t *testing.T) {
	inTime(t, func(t *testing.T, w *world) {
		l := w.begin()
		w.sleep(250 * time.Millisecond)
		for _, step := range []string{"manifest", "epochs/", "committed/"} {
			before := l.Checkpoints()
			w.store.Break(storetest.All, step, 1, storetest.Fault{Lose: errors.New("the answer is lost")})
			w.sleep(2 * time.Second)
			synctest.Wait()
			if s := l.Checkpoints(); s.Aborted != before.Aborted || s.CommitsFailed != before.CommitsFailed || s.Completed < before.Completed+10 {
				t.Errorf("after the loss at %s: %+v", step, s.Counts)
			}
		}
		l.drain()
		w.expect(position(t, w.manifest(0)))
	})
}

// stubborn is a store whose Put of a manifest does not heed its context.
type stubborn struct {
	checkpoint.Store
	hold chan struct{} // one for each Put that is held; then it goes on
	held chan struct{}
}

func (s *stubborn) Put(ctx context.Context, name string, data []byte) error {
	if strings.HasSuffix(name, "manifest.json") {
		select {
		case <-s.hold:
			s.held <- struct{}{}
			<-s.hold
		default:
		}
	}
	return s.Store.Put(ctx, name, data)
}

// TestStateIsFrozenAgainOnlyWhenNobodyReadsIt lets an upload go on after its
// checkpoint was given up; a second Freeze meanwhile would panic.
func TestStateIsFrozenAgainOnlyWhenNobodyReadsIt(t *testing.T) {
	store := &stubborn{Store: new(storetest.Place).Open(), hold: make(chan struct{}), held: make(chan struct{})}
	v := &visits{keys: 1000, key: shortKey, value: make([]byte, 92)}
	v.limit.Store(1 << 62)
	v.perTick.Store(10)
	b := newBench(t, v, func(context.Context) (checkpoint.Store, error) { return store, nil }, checkpoint.Settings{})
	b.tolerate(20 * time.Millisecond)
	s := checkpoint.Settings{Interval: 20 * time.Millisecond, MaxInFlight: 1, Timeout: 200 * time.Millisecond, TolerableFailures: 1000, Retain: checkpoint.Retention{Count: 1}}
	if _, err := b.Configure(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	store.hold <- struct{}{}
	<-store.held
	for b.Checkpoints().Aborted < 3 {
		time.Sleep(time.Millisecond)
	}
	at := b.Checkpoints().Completed
	store.hold <- struct{}{}
	for b.Checkpoints().Completed < at+3 {
		time.Sleep(time.Millisecond)
	}
	b.stop()
}

// TestWhatAFailedUploadHadIsInTheNextCheckpoint would lose the keys that came before it.
func TestWhatAFailedUploadHadIsInTheNextCheckpoint(t *testing.T) {
	var place storetest.Place
	store := &storetest.Faulty{Store: place.Open()}
	visit := func() *visits {
		v := &visits{keys: 5000, key: shortKey, value: make([]byte, 92)}
		return v
	}
	v := visit()
	b := newBench(t, v, func(context.Context) (checkpoint.Store, error) { return store, nil }, checkpoint.Settings{})
	b.tolerate(0)
	more := func() {
		v.limit.Add(500)
		b.reach(v.limit.Load())
	}
	more()
	b.checkpoint()
	more()
	store.Break(storetest.Put, "manifest", 0, storetest.Fault{Err: storetest.Down})
	b.Request()
	for b.Checkpoints().Aborted == 0 {
		time.Sleep(time.Millisecond)
	}
	more()
	store.Heal()
	b.checkpoint()
	want, _ := b.count.Usage()
	b.stop()
	b = newBench(t, visit(), func(context.Context) (checkpoint.Store, error) { return place.Open(), nil }, checkpoint.Settings{})
	for b.Phase() != pipeline.PhaseRunning {
		time.Sleep(time.Millisecond)
	}
	if got, _ := b.count.Usage(); got.Keys != want.Keys || got.Bytes != want.Bytes {
		t.Errorf("restored %+v, it was %+v", got, want)
	}
	b.stop()
}
