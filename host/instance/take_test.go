package instance

import (
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// TestAKeeperThatIsAboutToGoIsWaitedFor has another one that has the lock, and lets it go
// after a while.
func TestAKeeperThatIsAboutToGoIsWaitedFor(t *testing.T) {
	for _, c := range []struct {
		state State
		in    time.Duration // it lets it go
		want  stream.Code
	}{
		{Failed, leaveTime - time.Second, ""}, // it has put down how it ended
		{Failed, leaveTime + time.Second, stream.InstanceState},
		{Running, time.Second, stream.InstanceState},
	} {
		synctest.Test(t, func(t *testing.T) {
			i := &Instance{Name: "a", dir: t.TempDir()}
			if err := writeJSON(i.path(recordFile), Record{Format: recordFormat, State: c.state, Since: time.Now()}); err != nil {
				t.Fatal(err)
			}
			other, err := take(filepath.Join(i.dir, lockFile))
			if err != nil {
				t.Fatal(err)
			}
			time.AfterFunc(c.in, other.release)
			if err := i.startable(); (err != nil) != c.state.kept() || err != nil && err.(*stream.Error).Why == "" {
				t.Errorf("who would launch one is told %v", err)
			}
			l, err := i.take()
			if c.want == "" && err != nil || c.want != "" && stream.CodeOf(err) != c.want {
				t.Errorf("%s, for %v: %v", c.state, c.in, err)
			}
			if l != nil {
				l.release()
			}
			time.Sleep(time.Minute)
		})
	}
}

// TestWhatIsDeletedMeanwhileIsUnknown has an instance that goes between a look and the lock.
func TestWhatIsDeletedMeanwhileIsUnknown(t *testing.T) {
	h := &Home{Dir: t.TempDir()}
	i := &Instance{Name: "a", home: h, dir: h.dir("a")}
	if _, err := i.take(); stream.CodeOf(err) != stream.InstanceUnknown {
		t.Errorf("its lock is taken: %v", err)
	}
}

// TestKeeperSaysWhatItWaitsForAsLongAsItDoes has a worker that lost its keeper, and ends.
func TestKeeperSaysWhatItWaitsForAsLongAsItDoes(t *testing.T) {
	p := newPlace(t)
	k := &keeper{Instance: p.create(), binary: p.binary()}
	before, err := take(k.path(workerFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := k.begin(); err != nil {
		t.Fatal(err)
	}
	if r := k.ledger.read(); r.State != Starting || r.Reason == "" {
		t.Errorf("it waits, and is %+v", r)
	}
	k.events.Waits = func(int) { before.release() }
	if _, err := k.orphan(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r := k.ledger.read(); r.State != Starting || r.Reason != "" {
		t.Errorf("it has waited, and is %+v", r)
	}
}
