package instance

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host"
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
