package instance

import (
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

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
