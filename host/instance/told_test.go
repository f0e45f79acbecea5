package instance

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// TestWhoWaitsIsToldTheFirstLineOfAReason has one with several, as status shows all of it.
func TestWhoWaitsIsToldTheFirstLineOfAReason(t *testing.T) {
	i := &Instance{Name: "a", home: &Home{Dir: t.TempDir()}}
	i.dir = i.home.dir("a")
	if err := os.MkdirAll(i.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	keeper, err := take(i.path(lockFile)) // else it has failed
	if err != nil {
		t.Fatal(err)
	}
	defer keeper.release()
	if err := writeJSON(i.path(recordFile), Record{Format: recordFormat, State: Starting, Reason: "one\ntwo"}); err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	told := ""
	_, err = i.Wait(ctx, func(missing string) { told = missing; end() })
	if end(); told != "one" || stream.CodeOf(err) != stream.InstanceTimeout {
		t.Errorf("it is told %q, %v", told, err)
	}
}

// TestDataInTheFolderOfInstances is what is below it, and nothing besides it.
func TestDataInTheFolderOfInstances(t *testing.T) {
	for path, want := range map[string]bool{"/x/home": true, "/x/home/a": true, "/x/home/a/b": true, "/x/home2": false, "/x": false, "/x/homes/a": false, "/x/..home": false} {
		if below(path, "/x/home") != want {
			t.Errorf("%s: %v", path, !want)
		}
	}
}

// TestALockOfWhatIsGoneIsNone opens the lock of an instance that is deleted then, and created again.
func TestALockOfWhatIsGoneIsNone(t *testing.T) {
	for _, again := range []bool{false, true} {
		name := filepath.Join(t.TempDir(), lockFile)
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(name, name+".gone"); err != nil {
			t.Fatal(err)
		}
		if again {
			l, err := take(name)
			if err != nil {
				t.Fatal(err)
			}
			defer l.release()
		}
		if _, err := claim(f, name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("created again: %v: %v", again, err)
		}
	}
}

// TestAStateSaysThatAnotherWorkerFollows also where there was none to say why.
func TestAStateSaysThatAnotherWorkerFollows(t *testing.T) {
	p := newPlace(t)
	k := &keeper{Instance: p.create(), binary: p.binary()}
	var in time.Duration
	k.events.Exited = func(how string, again bool, pause time.Duration) { in = pause }
	if err := k.begin(); err != nil {
		t.Fatal(err)
	}
	k.left("its worker cannot be started: no memory", true, time.Second)
	if r := k.ledger.read(); r.State != Starting || r.Reason != "its worker cannot be started: no memory; another one follows" || in != time.Second {
		t.Errorf("it is %+v, and another one follows in %v", r, in)
	}
	before := k.ledger.read()
	if k.left("its worker exited with 2", false, 0); k.ledger.read().Reason != before.Reason {
		t.Errorf("none follows, and it is %+v", k.ledger.read())
	}
}
