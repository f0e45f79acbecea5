package host

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/config/watch"
	"github.com/wasmill/wasmill/host/stream"
)

// TestANamedFileThatIsGoneIsToldOnce, when it has been for some time, and again when it
// was there meanwhile. Nobody ends.
func TestANamedFileThatIsGoneIsToldOnce(t *testing.T) {
	f := newFollowed(t, map[string]string{"p.yaml": numbers("p", "")})
	file := f.path("p.yaml")
	var told []string
	h, err := Open(t.Context(), Options{Files: []string{file}, Follow: true, Events: func(string) stream.Events {
		return stream.Events{ConfigNotice: func(text string) { told = append(told, text) }}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close(t.Context())
	there := watch.Snapshot{Files: map[string]watch.File{file: {State: watch.Present}}}
	gone := watch.Snapshot{Files: map[string]watch.File{file: {}}}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for i, step := range []struct {
		after time.Duration
		see   watch.Snapshot
		told  int
		due   time.Duration // after at; 0 = not
	}{
		{0, there, 0, 0},
		{0, gone, 0, goneFor},
		{goneFor - 1, gone, 0, goneFor},
		{goneFor, gone, 1, 0},
		{goneFor * 2, gone, 1, 0},
		{goneFor * 3, there, 1, 0},
		{goneFor * 4, gone, 1, goneFor * 5},
		{goneFor * 5, gone, 2, 0},
	} {
		due := h.missing(step.see, at.Add(step.after))
		if len(told) != step.told || due.IsZero() != (step.due == 0) || step.due != 0 && !due.Equal(at.Add(step.due)) {
			t.Errorf("step %d: told %q, due %v", i, told, due)
		}
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	h.changed(t.Context(), there, gone)
	if c := h.Status().Pipelines[0].Config; c.Error != nil {
		t.Errorf("that it is gone is an error: %s", *c.Error)
	}
	if !strings.HasPrefix(told[0], file+" is gone: the pipeline goes on") {
		t.Errorf("told: %q", told)
	}
}
