package instance

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// newer is the instance as the newer binary sees it.
func (p *place) newer() *Instance {
	p.Helper()
	h := testHome(p.Dir, true)
	h.margin = p.margin
	i, err := h.Open("a")
	if err != nil {
		p.Fatal(err)
	}
	return i
}

// upgrade is one by the newer binary, whose keeper crashes at a step; empty = it does not.
func (p *place) upgrade(crash string, within time.Duration) error {
	_, err := p.newer().Upgrade(p.Context(), append(p.env(crash), newerVariable+"=1"), within, func(string) {})
	return err
}

// runsWith fails unless the spec names a version, and the instance is in a state.
func (p *place) runsWith(version string, state State) {
	p.Helper()
	s, err := p.open().See()
	if err != nil || s.Binary.Version != version || s.State != state || s.Upgrade != nil {
		p.Errorf("it is %+v, %v; want %s with %s", s, err, state, version)
	}
}

// refused fails unless the old binary is refused, with a pointer to upgrade.
func (p *place) refused() {
	p.Helper()
	err := p.open().Launch(p.Context(), p.env(""))
	if stream.CodeOf(err) != stream.InstanceVersion || !strings.Contains(err.Error(), "wasmill upgrade a") {
		p.Errorf("the old binary is let through: %v", err)
	}
}

// TestInstanceUpgradeGoesOnAfterACrashAtAnyStep kills what upgrades an instance, and the new keeper.
func TestInstanceUpgradeGoesOnAfterACrashAtAnyStep(t *testing.T) {
	inParallel(t, []string{"checked", "drained by upgrade", "launched"}, func(p *place, step string) {
		i := p.create()
		p.goesOn(i)
		p.crashes("upgrade", step)
		switch step {
		case "checked": // nothing has happened
			p.runsWith("v1.0.0", Running)
			if err := p.upgrade("", time.Minute); err != nil {
				p.Fatal(err)
			}
		case "drained by upgrade":
			p.runsWith("v1.0.0", Stopped)
			p.goesOn(i)
			if err := p.upgrade("", time.Minute); err != nil {
				p.Fatal(err)
			}
		case "launched": // the keeper ends it
			if !wait(p.Context(), time.Minute, func() bool { s, err := p.open().See(); return err == nil && s.Ready && s.Binary.Version == "v2.0.0" }) {
				p.Fatal("the upgrade does not go on")
			}
		}
		p.runsWith("v2.0.0", Running)
		if _, err := p.open().Shutdown(p.Context(), false); err != nil {
			p.Error(err)
		}
		p.refused()
		p.goes(p.open())
	})
	inParallel(t, []string{"locked", "starting", "worker started", "named", "ready"}, func(p *place, step string) {
		i := p.create()
		p.goesOn(i)
		err := p.upgrade(step, time.Minute)
		named := step == "named" || step == "ready"
		if err == nil && !named || err != nil && named && !strings.Contains(err.Error(), "it is upgraded to") {
			p.Errorf("the upgrade ends with %v", err)
		}
		if !wait(p.Context(), time.Minute, func() bool { s, err := i.See(); return err == nil && s.PID == 0 }) {
			p.Fatal("the keeper lives")
		}
		if named {
			p.refused()
			i = p.newer()
			if err := i.Launch(p.Context(), append(p.env(""), newerVariable+"=1")); err != nil {
				p.Fatal(err)
			}
			p.goesOnWaiting(i)
		} else {
			p.goesOn(i)
			p.runsWith("v1.0.0", Running)
		}
		p.goes(i)
	})
}

// TestInstanceKeepersOfAnotherVersionAreRefused, also one that is started though the command that
// does so looks first: the spec may be another by then.
func TestInstanceKeepersOfAnotherVersionAreRefused(t *testing.T) {
	p := newPlace(t)
	p.create()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, p.Keeper[0], append(p.Keeper[1:], "a")...)
	c.Env = append(p.env(""), newerVariable+"=1")
	out, err := c.CombinedOutput()
	if s, seen := p.open().See(); err == nil || !strings.Contains(string(out), string(stream.InstanceVersion)) || seen != nil || s.State != Created {
		t.Errorf("it is kept: %v: %s; it is %+v, %v", err, out, s, seen)
	}
}

// TestInstanceThatIsNotReadyInTimeIsNotUpgraded has a new worker that neither gets ready nor
// drains: it is killed after its time for that, and goes on with the old binary.
func TestInstanceThatIsNotReadyInTimeIsNotUpgraded(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	pipe := filepath.Join(filepath.Dir(p.Dir), "pipe")
	if err := os.WriteFile(pipe, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	content := strings.Replace(testPipeline, "drop: {}", "file: {path: "+pipe+"}", 1)
	content = strings.Replace(content, "checkpoint: {interval: 100ms, storage: file://./checkpoints}\n", "", 1)
	plan := planOf(p.Home)
	if err := os.WriteFile(plan.File, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	plan.Options.Set = []string{"shutdown.grace=50ms"}
	i, err := p.Create(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	p.goesOn(i)
	if err := os.Remove(pipe); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(pipe, 0o600); err != nil { // which opens when somebody reads
		t.Fatal(err)
	}
	upgraded := make(chan error, 1)
	go func() {
		i := p.newer()
		i.home.step = func(name string) {
			if name == "drained by upgrade" { // the old worker has had all its time
				i.home.margin = 50 * time.Millisecond
			}
		}
		_, err := i.Upgrade(t.Context(), append(p.env(""), newerVariable+"=1"), 300*time.Millisecond, func(string) {})
		upgraded <- err
	}()
	if !wait(t.Context(), time.Minute, func() bool { s, err := i.See(); return err == nil && s.Upgrade != nil && s.Upgrade.Version == "v2.0.0" }) {
		t.Error("nobody sees the upgrade")
	}
	err = <-upgraded
	for _, want := range []string{"it was not ready within 300ms, and did not drain within 100ms", "It is stopped", "wasmill-v1.0.0 resume a --home "} {
		if stream.CodeOf(err) != stream.InstanceFailed || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
	p.runsWith("v1.0.0", Stopped)
	reader, err := os.OpenFile(pipe, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	p.goesOn(i)
	p.goes(i)
}

// TestInstanceIsUpgradedByOneOfTwo refuses a second upgrade while one is under way, and one where
// another command ends the instance.
func TestInstanceIsUpgradedByOneOfTwo(t *testing.T) {
	i := &Instance{Name: "a", home: testHome(t.TempDir(), true)}
	i.dir = i.home.dir("a")
	if err := os.MkdirAll(i.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	i.Spec = Spec{Format: specFormat, Name: "a", Version: "v1.0.0"}
	l, err := take(i.path(lockFile)) // this process is its keeper
	if err != nil {
		t.Fatal(err)
	}
	defer l.release()
	put := func(r Record) {
		r.Format = recordFormat
		if err := writeJSON(i.path(recordFile), r); err != nil {
			t.Fatal(err)
		}
	}
	was, now := i.Spec.binary(), i.home.binary()
	put(Record{State: Starting, Binary: &Binary{Version: "v1.5.0"}})
	if _, err := i.upgradable(was, now); stream.CodeOf(err) != stream.InstanceState {
		t.Errorf("during an upgrade: %v", err)
	}
	for _, s := range []State{Pausing, Stopping} {
		put(Record{State: s, Binary: &was})
		if _, err := i.upgradable(was, now); stream.CodeOf(err) != stream.InstanceState {
			t.Errorf("while it is %s: %v", s, err)
		}
	}
	put(Record{State: Running, Binary: &was})
	if _, err := i.upgradable(was, now); err != nil {
		t.Errorf("while it runs: %v", err)
	}
	if _, err := i.upgradable(now, now); stream.CodeOf(err) != stream.InstanceVersion {
		t.Errorf("with the same binary: %v", err)
	}
}

// TestATrialEndsOnce: what has been ready in time is not late, and what was late is not ready.
func TestATrialEndsOnce(t *testing.T) {
	var none *trial
	if !none.passes() || none.fails() {
		t.Error("without a trial something fails")
	}
	for range 2 {
		a, b := &trial{}, &trial{}
		if !a.passes() || a.fails() || !a.passes() || !b.fails() || b.passes() || !b.fails() {
			t.Error("a trial ends twice")
		}
	}
	k := &keeper{Instance: &Instance{home: &Home{}}, trial: &trial{}, ends: func(error) { t.Error("it is ended though it was ready") }}
	k.trial.passes()
	k.late(time.Second)
	ended := context.Canceled
	k = &keeper{Instance: &Instance{home: &Home{}}, trial: &trial{}, ends: func(err error) { ended = err }}
	if k.late(time.Second); !strings.Contains(ended.Error(), "not ready within 1s") {
		t.Errorf("it is ended with %v", ended)
	}
}
