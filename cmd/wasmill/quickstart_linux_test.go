package main

import (
	"context"
	"path/filepath"
	"testing"
)

func TestQuickstartOnATerminal(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", filepath.Join(t.TempDir(), "cache"))
	x := newTerminal(t)
	ctx, interrupt := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"quickstart", "--for", "0"}, stdio{x.process, x.process, x.process})
	}()
	x.until(t, "VERTEX                   ROLE")
	x.until(t, "only-posts               udf")
	x.until(t, "\x1b[4A\x1b[J") // drawn again
	interrupt()
	if exit := <-ended; exit != 0 {
		t.Errorf("exit %d: %s", exit, x.text())
	}
	x.until(t, "wasmill dev plugins/shout")
}
