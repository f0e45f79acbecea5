package config

import (
	"fmt"
	"reflect"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// Interval is the time from the start of one checkpoint to the start of the next. It
// is written as a duration, as adaptive, or as {adaptive: {min, max, recoveryTime}}.
type Interval struct {
	Fixed    time.Duration // 0 = only on request; not used if Adaptive is set
	Adaptive *Adaptive     `koanf:"adaptive"`
}

// Adaptive lets the interval follow from what a checkpoint costs.
type Adaptive struct {
	Min          time.Duration `koanf:"min"`
	Max          time.Duration `koanf:"max"`
	RecoveryTime time.Duration `koanf:"recoveryTime"` // how long after a crash the pipeline may be behind; 0 = no objective
}

const (
	adaptive       = "adaptive"
	minInterval    = 10 * time.Millisecond
	maxInterval    = 24 * time.Hour
	minRecovery    = time.Second
	intervalFix    = "write one such as 10s, 0s for checkpoints on request only, adaptive, or {adaptive: {min: 1s, max: 10m, recoveryTime: 1m}}"
	intervalMeans  = "a duration, adaptive, or {adaptive: {min, max, recoveryTime}}"
	recoveryRange  = ", or 0s for no objective"
	onRequestRange = ", or 0s for checkpoints on request only"
)

func newAdaptive() Adaptive { return Adaptive{Min: time.Second, Max: 10 * time.Minute} }

func (i Interval) String() string {
	switch {
	case i.Adaptive != nil:
		return fmt.Sprintf("adaptive, %v to %v", i.Adaptive.Min, i.Adaptive.Max)
	case i.Fixed == 0:
		return "on request"
	}
	return i.Fixed.String()
}

// interval fills an Interval.
func (b *binder) interval(p path, in any, out reflect.Value) {
	i := out.Addr().Interface().(*Interval)
	switch text := in.(type) {
	case map[string]any:
		*i = Interval{}
		b.fields(p, in, out)
		if i.Adaptive == nil && !b.about(p.key(adaptive)) {
			b.fault(p, stream.ConfigMissing, "it is not said what the interval is", intervalFix)
		}
	case string:
		d, err := time.ParseDuration(text)
		if near, ok := Nearest(text, []string{adaptive}); text == adaptive || err != nil && ok {
			a := newAdaptive()
			if *i = (Interval{Adaptive: &a}); text != adaptive {
				b.fault(p, stream.ConfigValue, fmt.Sprintf("there is no interval %q", shorten(text)), fmt.Sprintf("did you mean %s?", near))
			}
			return
		}
		switch {
		case err != nil:
			b.fault(p, stream.ConfigValue, fmt.Sprintf("%q is neither a duration nor %s", shorten(text), adaptive), intervalFix)
		case d != 0 && (d < minInterval || d > maxInterval):
			b.fault(p, stream.ConfigValue, fmt.Sprintf("%v is out of range", d), fmt.Sprintf("write %v to %v%s", minInterval, maxInterval, onRequestRange))
		}
		*i = Interval{Fixed: d}
	default:
		b.mismatch(p, in, intervalMeans, intervalFix)
	}
}

// adaptive fills an Adaptive and checks it.
func (b *binder) adaptive(p path, in any, out reflect.Value) {
	a := out.Addr().Interface().(*Adaptive)
	*a = newAdaptive()
	b.fields(p, in, out)
	within(b, p.key("min"), a.Min, minInterval, maxInterval)
	within(b, p.key("max"), a.Max, minInterval, maxInterval)
	if a.Min > a.Max && a.Min <= maxInterval && a.Max >= minInterval {
		at := p.key("min")
		if _, ok := b.values[at]; !ok {
			at = p.key("max")
		}
		b.fault(at, stream.ConfigValue, fmt.Sprintf("min %v is more than max %v", a.Min, a.Max), "write {min: shortest, max: longest}")
	}
	if at := p.key("recoveryTime"); a.RecoveryTime != 0 && (a.RecoveryTime < minRecovery || a.RecoveryTime > maxInterval) {
		b.fault(at, stream.ConfigValue, fmt.Sprintf("%v is out of range", a.RecoveryTime), fmt.Sprintf("write %v to %v%s", minRecovery, maxInterval, recoveryRange))
	}
}
