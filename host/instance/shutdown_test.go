package instance

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// TestItIsKilledOnlyWithForceAndAfterItsTime has a worker that is stopped, and so ends by
// nothing else.
func TestItIsKilledOnlyWithForceAndAfterItsTime(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	i := p.brief()
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
