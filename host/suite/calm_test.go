package suite

import (
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/config"
)

// TestWhatIsCalmedIsACopy holds what makes runs differ to be out of the way, and the
// config that was given to stay as it is.
func TestWhatIsCalmedIsACopy(t *testing.T) {
	v := config.Vertex{
		Concurrency: config.Concurrency{Min: 1, Max: 8}, IdleTimeout: time.Second, OnError: config.OnErrorFail,
		Retry: config.Retry{Attempts: 3, Backoff: time.Second, MaxBackoff: time.Minute},
	}
	memory := v
	memory.State.Memory, memory.OnError = true, config.OnErrorDeadLetter
	given := &config.Pipeline{Vertices: []config.Vertex{v, memory}}
	calm := calmed(given)
	one, other := calm.Vertices[0], calm.Vertices[1]
	if one.Concurrency != (config.Concurrency{Max: 1}) || one.IdleTimeout != 0 || one.Retry.MaxBackoff != retryWait || one.Retry.Attempts != 3 || one.OnError != config.OnErrorDrop {
		t.Errorf("%+v", one)
	}
	if other.Concurrency != memory.Concurrency || other.OnError != config.OnErrorDeadLetter {
		t.Errorf("with its memory as state: %+v", other)
	}
	if is := given.Vertices[0]; is.Concurrency != v.Concurrency || is.IdleTimeout != v.IdleTimeout || is.Retry != v.Retry || is.OnError != v.OnError {
		t.Errorf("the one that was given: %+v", is)
	}
}
