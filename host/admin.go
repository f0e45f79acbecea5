package host

import (
	"context"
	"errors"
	"fmt"

	"github.com/wasmill/wasmill/host/admin"
	"github.com/wasmill/wasmill/host/pipeline"
)

// Admin says where health and metrics are served while Run runs.
type Admin struct {
	URL   string // such as http://127.0.0.1:7676; empty = nowhere
	Moved error  // why not at the usual address; nil = there
}

// listen listens for requests, which serve answers.
func (h *Host) listen() (err error) {
	addresses := h.Settings.Admin.Listen.Addresses()
	if len(addresses) == 0 {
		return nil
	}
	if h.server, err = admin.Open(admin.Config{Addresses: addresses, Ready: h.ready, Status: func() any { return h.Status() }}); err != nil {
		return err
	}
	h.Admin = Admin{URL: h.server.URL(), Moved: h.server.Moved}
	return nil
}

// serve answers requests until the function it returns is called, which waits
// for those under way.
func (h *Host) serve(ctx context.Context) (stop func() error) {
	if h.server == nil {
		return func() error { return nil }
	}
	budget := float64(Budget(h.Settings))
	detach := []func(){h.server.Metrics.Attach(func(w *admin.Writer) { w.Gauge(admin.MemoryBudget, budget) })}
	for _, p := range h.running {
		for _, c := range p.collect {
			detach = append(detach, h.server.Metrics.Attach(c))
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- h.server.Run(ctx) }()
	return func() error {
		cancel()
		err := <-ended
		for _, d := range detach {
			d()
		}
		return err
	}
}

// ready says which pipelines neither run nor have ended well.
func (h *Host) ready() error {
	var errs []error
	for _, p := range h.running {
		if phase := p.Phase(); phase != pipeline.PhaseRunning && phase != pipeline.PhaseStopped {
			errs = append(errs, fmt.Errorf("pipeline %s is %s", p.Name, phase))
		}
	}
	return errors.Join(errs...)
}
