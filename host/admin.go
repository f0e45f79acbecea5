package host

import (
	"context"

	"github.com/wasmill/wasmill/host/admin"
	"github.com/wasmill/wasmill/host/stream"
)

// Admin says where health, metrics and the API are served while Run runs.
type Admin struct {
	URL    string // such as http://127.0.0.1:7676, https:// with TLS, or unix:PATH; empty = nowhere
	Moved  error  // why not at the usual address; nil = there
	Locked error  // why nobody can use the API, for want of a token; nil = its owner can

	events *admin.Events // that the API passes on
}

// observed returns callbacks of a pipeline that also tell the API of events.
func (h *Host) observed(pipeline string, e stream.Events) stream.Events {
	if !h.options.Admin {
		return e
	}
	return h.events().Observe(pipeline, e)
}

// events is what tells the API what happens. It is first called by Open.
func (h *Host) events() *admin.Events {
	if h.Admin.events == nil {
		h.Admin.events = &admin.Events{}
	}
	return h.Admin.events
}

// listen listens for requests, which serve answers.
func (h *Host) listen() (err error) {
	addresses := h.Settings.Admin.Listen.Addresses()
	if len(addresses) == 0 {
		return nil
	}
	c := admin.Config{Addresses: addresses, Ready: h.ready, Status: func() any { return h.Status() }, Control: operator{h}, Tapper: tapper{h}, Events: h.events()}
	if !h.Settings.Admin.Listen.Private() {
		c.Token, c.Locked = admin.MakeToken(h.Settings.Admin.Token.File)
	}
	if t := h.Settings.Admin.TLS; t.Cert != "" {
		c.TLS = &admin.TLS{Cert: t.Cert, Key: t.Key, ClientCA: t.ClientCA, Renewed: h.options.Renewed}
	}
	if h.server, err = admin.Open(c); err != nil {
		return err
	}
	h.server.Metrics.Version = h.options.Version
	h.Admin.URL, h.Admin.Moved, h.Admin.Locked = h.server.URL(), h.server.Moved, c.Locked
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
	detach = append(detach, h.server.Metrics.Attach(func(w *admin.Writer) {
		for _, s := range h.crew.all() {
			s.collect(w)
		}
	}))
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
