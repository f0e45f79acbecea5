package instance

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/whole"
)

// Missing is what is not ready, such as "parse 3/8 instances", or else why it is not; empty =
// all is.
func Missing(r *host.Readiness) string {
	var texts []string
	for _, v := range r.Vertices {
		if v.Ready < v.Want {
			texts = append(texts, fmt.Sprintf("%s %d/%d instances", v.Vertex, v.Ready, v.Want))
		}
	}
	if texts == nil && !r.Ready {
		return r.Why
	}
	return strings.Join(texts, ", ")
}

// lookEvery is the time between two looks at something that is waited for.
const lookEvery = 10 * time.Millisecond

// readyEvery is lookEvery of what is ready, which costs next to nothing.
const readyEvery = time.Second

// report writes what look says whenever it has changed, until ctx ends. Who waits for the
// instance reads it, also without a right to its API.
func report(ctx context.Context, dir string, look func() host.Readiness) {
	var told host.Readiness
	for first := true; ; first = false {
		if now := look(); first || !reflect.DeepEqual(now, told) {
			told = now
			putReadiness(dir, now)
		}
		every := lookEvery
		if told.Ready {
			every = readyEvery
		}
		if !pause(ctx, every) {
			return
		}
	}
}

func putReadiness(dir string, r host.Readiness) {
	if data, err := json.Marshal(r); err == nil {
		_ = whole.Show(filepath.Join(dir, readyFile), data, 0o600) // without it, it is not ready
	}
}

// readiness returns what the worker that runs has reported; nil = nothing.
func readiness(dir string) *host.Readiness {
	data, err := os.ReadFile(filepath.Join(dir, readyFile))
	if err != nil {
		return nil
	}
	var r host.Readiness
	if json.Unmarshal(data, &r) != nil {
		return nil
	}
	return &r
}

// pause waits; false = ctx has ended.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
