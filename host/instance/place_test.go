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
)

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

// brief creates an instance whose time to drain is short, for those that wait for it.
func (p *place) brief() *Instance {
	p.Helper()
	p.margin = 50 * time.Millisecond
	plan := planOf(p.Home)
	plan.Options.Set = []string{"shutdown.grace=50ms"}
	i, err := p.Create(p.Context(), plan)
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

func (p *place) goesOnWaiting(i *Instance) {
	p.Helper()
	if _, err := i.Wait(p.Context(), nil); err != nil {
		p.Fatal(err)
	}
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

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
