package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/notify"
	"github.com/wasmill/wasmill/host/pipeline"
)

// serveManager tells the service manager of a host, until the function it returns is called.
func serveManager(ctx context.Context, service *notify.Service, h *host.Host) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	over := make(chan struct{})
	go func() {
		defer close(over)
		service.Run(ctx, func() (bool, string) { return settled(h.Readiness()) }, func() { h.Status() })
	}()
	return func() {
		cancel()
		<-over
	}
}

// settled says whether no pipeline gets ready any more, as each is or cannot be, and what
// there is to say: a file that is refused keeps the others from nothing.
func settled(all []host.Readiness) (is bool, status string) {
	is = true
	ready := 0
	for _, r := range all {
		is = is && (r.Ready || r.Phase == pipeline.PhaseFailed)
		if r.Ready {
			ready++
		}
	}
	lines, _ := missingOf(all)
	return is, safe(strings.Join(append([]string{fmt.Sprintf("%d of %s ready", ready, counted(len(all), "pipeline"))}, lines...), "; "))
}
