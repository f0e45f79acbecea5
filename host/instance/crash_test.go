package instance

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/stream"
)

// What this test binary is, and at which step it kills itself, if it is not a test.
const (
	roleVariable  = "INSTANCE_TEST_ROLE"
	crashVariable = "INSTANCE_TEST_CRASH"
	homeVariable  = "INSTANCE_TEST_HOME"
	newerVariable = "INSTANCE_TEST_NEWER" // it is the newer binary
)

func TestMain(m *testing.M) {
	role := os.Getenv(roleVariable)
	if len(os.Args) > 3 && os.Args[1] == "-role" {
		role = os.Args[2]
		if len(os.Args) > 4 && os.Args[4] == "--check" {
			role = "check"
		}
	}
	if role == "" {
		os.Exit(m.Run())
	}
	ctx, end := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer end()
	h := testHome(os.Getenv(homeVariable), os.Getenv(newerVariable) != "")
	h.step = func(name string) {
		if name == os.Getenv(crashVariable) {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // until it comes
		}
	}
	var err error
	if role == "create" {
		_, err = h.Create(ctx, planOf(h))
	} else {
		var i *Instance
		if i, err = h.Open("a"); err == nil {
			err = map[string]func() error{
				"delete": func() error { return i.Delete(ctx, false, false, func(Removed) {}) },
				"keep": func() error {
					return i.Keep(ctx, within(), KeepEvents{Exited: func(how string, _ bool, _ time.Duration) { fmt.Fprintln(os.Stderr, how) }})
				},
				"check": func() error { return i.Check(ctx, host.Options{}) },
				"upgrade": func() error {
					_, err := i.Upgrade(ctx, os.Environ(), time.Minute, func(string) {})
					return err
				},
				"work": func() error { return work(ctx, i) },
			}[role]()
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// within is what a keeper was told of an upgrade.
func within() (d time.Duration) {
	if len(os.Args) > 5 {
		d, _ = time.ParseDuration(os.Args[5])
	}
	return d
}

// work is a worker, as the command has it.
func work(ctx context.Context, i *Instance) (err error) {
	w, err := i.Work()
	if err != nil {
		return err
	}
	defer func() { w.End(err) }()
	o, err := w.Options(os.Environ())
	if err != nil {
		return err
	}
	o.Admin, o.Revisions = true, true
	h, err := host.Open(ctx, o)
	if err != nil {
		return err
	}
	go func() { Orphaned(os.Stdin); h.Drain() }()
	context.AfterFunc(ctx, h.Drain)
	go w.Report(context.Background(), func() host.Readiness { return h.Readiness()[0] })
	return h.Run(context.WithoutCancel(ctx))
}

// testHome is one as the binary v1.0.0 sees it, or the newer v2.0.0.
func testHome(dir string, newer bool) *Home {
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	version := "v1.0.0"
	if newer {
		version = "v2.0.0"
	}
	return &Home{Dir: dir, Version: version, Executable: filepath.Join(filepath.Dir(dir), "wasmill-"+version), Keeper: []string{exe, "-role", "keep"}, Worker: []string{exe, "-role", "work"}}
}

const testPipeline = `name: p
checkpoint: {interval: 100ms, storage: file://./checkpoints}
vertices:
  - {name: in, source: {generator: {rate: 100}}}
  - {name: out, sink: {drop: {}}}
edges: [{from: in, to: out}]
`

func planOf(h *Home) Plan {
	base := filepath.Dir(h.Dir)
	return Plan{Name: "a", File: filepath.Join(base, "p.yaml"), Data: filepath.Join(base, "data-of-a")}
}

// place is a home whose processes the test ends.
type place struct {
	*testing.T
	*Home
}

func newPlace(t *testing.T) *place {
	t.Helper()
	base := t.TempDir()
	p := &place{t, testHome(filepath.Join(base, "home"), false)}
	for _, version := range []string{"v1.0.0", "v2.0.0"} {
		if err := os.WriteFile(filepath.Join(base, "wasmill-"+version), []byte(version), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(base, "p.yaml"), []byte(testPipeline), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, file := range []string{lockFile, workerFile} {
			if o, ok := ownerOf(filepath.Join(p.dir("a"), file)); ok {
				_ = o.signal(syscall.SIGKILL)
				wait(context.Background(), time.Minute, func() bool { return !o.alive() })
			}
		}
	})
	return p
}

// env is that of a process that crashes at a step; empty = it does not.
func (p *place) env(crash string) []string {
	return append(os.Environ(), homeVariable+"="+p.Dir, crashVariable+"="+crash)
}

// crashes runs a role that has to kill itself at a step.
func (p *place) crashes(role, step string) {
	p.Helper()
	c := exec.Command(p.Keeper[0])
	c.Env = append(p.env(step), roleVariable+"="+role)
	if role == "upgrade" {
		c.Env = append(c.Env, newerVariable+"=1")
	}
	out, _ := c.CombinedOutput()
	if s, ok := c.ProcessState.Sys().(syscall.WaitStatus); !ok || s.Signal() != syscall.SIGKILL {
		p.Fatalf("%s is not killed at %s: %v: %s", role, step, c.ProcessState, out)
	}
}

func (p *place) create() *Instance {
	p.Helper()
	i, err := p.Create(p.Context(), planOf(p.Home))
	if err != nil {
		p.Fatal(err)
	}
	return i
}

// goesOn resumes the instance, and sees it ready.
func (p *place) goesOn(i *Instance) {
	p.Helper()
	err := i.Launch(p.Context(), p.env(""))
	if err == nil {
		ctx, cancel := context.WithTimeout(p.Context(), time.Minute)
		defer cancel()
		_, err = i.Wait(ctx, nil)
	}
	if err != nil {
		text, _ := os.ReadFile(i.LogFile())
		p.Fatalf("%v\n%s", err, text)
	}
}

// goes deletes the instance, and finds nothing of it.
func (p *place) goes(i *Instance) {
	p.Helper()
	if err := i.Delete(p.Context(), true, false, func(Removed) {}); err != nil {
		p.Fatal(err)
	}
	p.nothing()
}

func (p *place) nothing() {
	p.Helper()
	base := filepath.Dir(p.Dir)
	for _, pattern := range []string{"home/a", "home/.gone*", "data-of-a", "checkpoints/a/*/*"} {
		if found, _ := filepath.Glob(filepath.Join(base, pattern)); len(found) > 0 {
			p.Errorf("there is %v", found)
		}
	}
}

// TestInstanceGoesOnAfterACrashAtAnyStep kills what creates, has or deletes an instance with
// SIGKILL, at each step.
func TestInstanceGoesOnAfterACrashAtAnyStep(t *testing.T) {
	inParallel(t, []string{"half made", "described"}, func(p *place, step string) {
		p.crashes("create", step)
		if names, err := p.Names(); len(names) > 0 || err != nil {
			p.Errorf("half of an instance is one: %v, %v", names, err)
		}
		p.goes(p.create())
	})
	inParallel(t, []string{"reserved", "claimed"}, func(p *place, step string) {
		p.crashes("create", step)
		if _, err := p.Create(p.Context(), planOf(p.Home)); stream.CodeOf(err) != stream.InstanceExists {
			p.Errorf("it is created again: %v", err)
		}
		i := p.open()
		p.goesOn(i)
		p.goes(i)
	})
	inParallel(t, []string{"locked", "starting", "worker started", "ready"}, func(p *place, step string) {
		i := p.create()
		_ = i.Launch(p.Context(), p.env(step)) // an error if the crash comes before the answer
		if !wait(p.Context(), time.Minute, func() bool { s, err := i.See(); return err == nil && s.PID == 0 }) {
			p.Fatal("the keeper lives")
		}
		s, err := i.See()
		if want := map[string]State{"locked": Created}[step]; err != nil || s.State != want && (want != "" || s.State != Failed) {
			p.Errorf("it is %s, %v", s.State, err)
		}
		if _, err := i.Shutdown(p.Context(), false); stream.CodeOf(err) != stream.InstanceState {
			p.Errorf("what is dead is shut down: %v", err)
		}
		p.goesOn(i)
		p.goes(i)
	})
	inParallel(t, []string{"drained", "ended"}, func(p *place, step string) {
		i := p.create()
		if err := i.Launch(p.Context(), p.env(step)); err != nil {
			p.Fatal(err)
		}
		p.goesOnWaiting(i)
		s, err := i.Shutdown(p.Context(), false)
		if (err == nil) != (step == "ended") {
			p.Errorf("it is %s: %v", s.State, err)
		}
		p.goesOn(i)
		p.goes(i)
	})
	inParallel(t, []string{"locked", "deleting", "checkpoints deleted", "data emptied", "data deleted", "renamed"}, func(p *place, step string) {
		i := p.create()
		p.goesOn(i)
		if _, err := i.Shutdown(p.Context(), false); err != nil {
			p.Fatal(err)
		}
		p.crashes("delete", step)
		if step == "renamed" {
			if _, err := p.Open("a"); stream.CodeOf(err) != stream.InstanceUnknown {
				p.Errorf("what is deleted is there: %v", err)
			}
			i = p.create() // which sweeps what is left
			p.goes(i)
			return
		}
		i = p.open()
		err := i.Launch(p.Context(), p.env(""))
		if begun := step != "locked"; begun != (stream.CodeOf(err) == stream.InstanceState) || !begun && err != nil {
			p.Errorf("resumed: %v", err)
		}
		p.goes(i)
	})
}

func (p *place) goesOnWaiting(i *Instance) {
	p.Helper()
	if _, err := i.Wait(p.Context(), nil); err != nil {
		p.Fatal(err)
	}
}

// TestInstanceIsDeletedFromEveryStoreThatItHad edits its storage between two runs.
func TestInstanceIsDeletedFromEveryStoreThatItHad(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	i := p.create()
	p.goesOn(i)
	if _, err := i.Shutdown(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	edited := strings.Replace(read(t, i.PipelineFile()), "./checkpoints", "./others", 1)
	if err := os.WriteFile(i.PipelineFile(), []byte(edited), 0o600); err != nil {
		t.Fatal(err)
	}
	p.goesOn(i)
	if err := os.WriteFile(i.PipelineFile(), []byte("no pipeline"), 0o600); err != nil { // it is not needed any more
		t.Fatal(err)
	}
	for _, folder := range []string{"checkpoints", "others"} {
		if found, _ := filepath.Glob(filepath.Join(filepath.Dir(p.Dir), folder, "a/*/*")); len(found) == 0 {
			t.Errorf("nothing is in %s", folder)
		}
	}
	p.goes(i)
	if found, _ := filepath.Glob(filepath.Join(filepath.Dir(p.Dir), "others/a/*/*")); len(found) > 0 {
		t.Errorf("there is %v", found)
	}
}

// TestWorkerIsNotReadyByWhatTheOneBeforeSaid has a worker that lost its keeper, which says
// that it is ready, as one does that has ended well, when the next keeper waits for it.
func TestWorkerIsNotReadyByWhatTheOneBeforeSaid(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	i := p.create()
	before, err := take(i.path(workerFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(i.PipelineFile(), []byte("no pipeline"), 0o600); err != nil { // the next worker is never ready
		t.Fatal(err)
	}
	if err := i.Launch(t.Context(), p.env("")); err != nil {
		t.Fatal(err)
	}
	over, end := context.WithTimeout(t.Context(), time.Millisecond)
	defer end()
	said := ""
	if _, err := i.Wait(over, func(missing string) { said = missing }); !strings.Contains(said, "it waits for process ") {
		t.Errorf("it is waited for with %q, %v", said, err)
	}
	putReadiness(i.dir, host.Readiness{Ready: true, Revision: 7})
	before.release()
	var r Record
	if !wait(t.Context(), time.Minute, func() bool {
		r, err = i.Record()
		return err == nil && strings.Contains(r.Reason, "another one follows")
	}) {
		t.Fatalf("its worker does not end: %+v, %v", r, err)
	}
	if r.Revision != 0 {
		t.Errorf("it was taken to be ready: %+v", r)
	}
	if first, _, _ := strings.Cut(r.Reason, "\n"); !strings.Contains(first, "another one follows: ") || !strings.Contains(first, "pipeline.yaml:1:1") {
		t.Errorf("it does not say what is wrong: %s", r.Reason)
	}
	p.goes(i)
}

// TestInstanceHoldsNoFileOfWhoCreatesIt has a pipe that ends when nobody can write to it any
// more. No other test runs meanwhile, whose processes could.
func TestInstanceHoldsNoFileOfWhoCreatesIt(t *testing.T) {
	p := newPlace(t)
	i := p.create()
	var ends [2]int
	if err := syscall.Pipe(ends[:]); err != nil {
		t.Fatal(err)
	}
	if err := syscall.SetNonblock(ends[0], true); err != nil {
		t.Fatal(err)
	}
	reader := os.NewFile(uintptr(ends[0]), "pipe")
	defer reader.Close()
	p.goesOn(i)
	if err := syscall.Close(ends[1]); err != nil {
		t.Fatal(err)
	}
	if err := reader.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := reader.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("it holds the pipe: %v", err)
	}
	p.goes(i)
}

// TestDeletionMakesRoomForItsState looks at what there is when the state is written, as it has to
// be on a disk that is full.
func TestDeletionMakesRoomForItsState(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	i := p.create()
	p.goesOn(i)
	if _, err := i.Shutdown(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	p.step = func(name string) {
		if _, err := os.Stat(i.LogFile()); name == "deleting" && !os.IsNotExist(err) {
			t.Errorf("its log is there: %v", err)
		}
	}
	p.goes(i)
}

// TestDeletionLeavesWhatIsNotOfWasmill puts files into the folder for data that it was
// created with.
func TestDeletionLeavesWhatIsNotOfWasmill(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	i := p.create()
	p.goesOn(i)
	theirs := filepath.Join(i.Spec.Data, "of-a-sink", "out.txt")
	if err := os.MkdirAll(filepath.Dir(theirs), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(theirs, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	left := 0
	err := i.Delete(t.Context(), true, false, func(r Removed) {
		if r.What == "data" {
			left = r.Left
		}
	})
	if err != nil || left != 1 || read(t, theirs) != "precious" {
		t.Errorf("deleted: %v, of which %d are said to stay", err, left)
	}
	entries, err := os.ReadDir(i.Spec.Data)
	if err != nil || len(entries) != 1 {
		t.Errorf("there is %v, %v", entries, err)
	}
}

// TestKeeperPassesHangupsOn has a worker that, other than the command, ends by SIGHUP.
func TestKeeperPassesHangupsOn(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	i := p.create()
	p.goesOn(i)
	keeper, ok := ownerOf(i.path(lockFile))
	if !ok || keeper.signal(syscall.SIGHUP) != nil {
		t.Fatal("there is no keeper")
	}
	hung := func() bool { return strings.Contains(read(t, i.LogFile()), "its worker was ended by signal 1 ") }
	if !wait(t.Context(), time.Minute, func() bool { return hung() || !keeper.alive() }) || !hung() {
		t.Errorf("its worker was told nothing: %s", read(t, i.LogFile()))
	}
	p.goes(i)
}

// TestItIsKilledOnlyWithForceAndAfterItsTime has a worker that is stopped, and so ends by
// nothing else.
func TestItIsKilledOnlyWithForceAndAfterItsTime(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.margin = 50 * time.Millisecond
	plan := planOf(p.Home)
	plan.Options.Set = []string{"shutdown.grace=50ms"}
	i, err := p.Create(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	p.goesOn(i)
	worker, ok := ownerOf(i.path(workerFile))
	if !ok || worker.signal(syscall.SIGSTOP) != nil {
		t.Fatal("there is no worker to stop")
	}
	over, end := context.WithCancel(t.Context())
	end()
	if _, err := i.Shutdown(over, true); stream.CodeOf(err) != stream.InstanceTimeout || !strings.Contains(err.Error(), "interrupted") {
		t.Errorf("interrupted: %v", err)
	}
	if !wait(t.Context(), time.Minute, func() bool { s, err := i.See(); return err == nil && s.State == Pausing }) {
		t.Error("its keeper was not told")
	}
	if _, err := i.Shutdown(t.Context(), false); stream.CodeOf(err) != stream.InstanceTimeout || strings.Contains(err.Error(), "interrupted") {
		t.Errorf("without force: %v", err)
	}
	if s, err := i.See(); err != nil || s.State != Pausing || !worker.alive() {
		t.Errorf("without force it is %+v, %v", s, err)
	}
	s, err := i.Shutdown(t.Context(), true)
	if stream.CodeOf(err) != stream.InstanceFailed || s.State != Stopped || !strings.Contains(s.Reason, "signal 9") || worker.alive() {
		t.Errorf("with force it is %+v, %v", s, err)
	}
	p.goesOn(i)
	p.goes(i)
}

func (p *place) open() *Instance {
	p.Helper()
	i, err := p.Open("a")
	if err != nil {
		p.Fatal(err)
	}
	return i
}

func inParallel(t *testing.T, steps []string, run func(p *place, step string)) {
	for _, step := range steps {
		t.Run(strings.ReplaceAll(step, " ", "-"), func(t *testing.T) {
			t.Parallel()
			run(newPlace(t), step)
		})
	}
}

// TestInstanceIsOnesOfManyWhoWantIt creates and resumes it ten times at once.
func TestInstanceIsOnesOfManyWhoWantIt(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	count := func(try func() error) (won int) {
		errs := make([]error, 10)
		var all sync.WaitGroup
		for n := range errs {
			all.Go(func() { errs[n] = try() })
		}
		all.Wait()
		for _, err := range errs {
			switch {
			case err == nil:
				won++
			case stream.CodeOf(err) != stream.InstanceExists && stream.CodeOf(err) != stream.InstanceState:
				t.Error(err)
			}
		}
		return won
	}
	if won := count(func() error { _, err := p.Create(t.Context(), planOf(p.Home)); return err }); won != 1 {
		t.Errorf("%d have created it", won)
	}
	i := p.open()
	if won := count(func() error { return i.Launch(t.Context(), p.env("")) }); won != 1 {
		t.Errorf("%d have resumed it", won)
	}
	p.goesOnWaiting(i)
	p.goes(i)
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
