package config

import (
	"fmt"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// Retry says how often a record is tried. The wait after the first call is
// Backoff, and doubles with each further one up to MaxBackoff.
type Retry struct {
	Attempts   int           `koanf:"attempts"` // all calls, so 1 is no retry
	Backoff    time.Duration `koanf:"backoff"`
	MaxBackoff time.Duration `koanf:"maxBackoff"`
}

const maxAttempts = 1000

// OnError says what happens to a record that cannot be handled.
type OnError string

// The policies on an error.
const (
	OnErrorFail       OnError = "fail"       // the pipeline ends with the error
	OnErrorDrop       OnError = "drop"       // the record is counted and forgotten
	OnErrorDeadLetter OnError = "deadLetter" // it leaves by the edges for dead letters
)

// Choices implements Choice.
func (OnError) Choices() []string {
	return []string{string(OnErrorFail), string(OnErrorDrop), string(OnErrorDeadLetter)}
}

// failures checks what a vertex does about records that it cannot handle.
func (b *binder) failures(p path, v *Vertex, keys map[string]any) {
	at, r := p.key("retry"), v.Retry
	within(b, at.key("attempts"), r.Attempts, 1, maxAttempts)
	b.deadline(at.key("backoff"), r.Backoff)
	b.deadline(at.key("maxBackoff"), r.MaxBackoff)
	if r.Backoff > r.MaxBackoff && r.MaxBackoff >= time.Millisecond && r.Backoff <= time.Hour {
		b.fault(at.key("backoff"), stream.ConfigValue, fmt.Sprintf("the first wait, %v, is longer than the longest, %v", r.Backoff, r.MaxBackoff), "lower backoff, or raise maxBackoff")
	}
	if v.Source != nil && v.EventTime == nil && keys["onError"] != nil && keys["eventTime"] == nil {
		b.add(b.key(p.key("onError")), p.key("onError"), stream.ConfigUnknownKey, "of its records a source fails only those whose eventTime cannot be read, and it has no eventTime", "remove it, or add eventTime")
	}
}
