package config

import (
	"fmt"
	"reflect"
	"runtime"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// Scale lets the calls of a vertex, and so its instances, become more and fewer by what
// comes. It begins with Vertex.Concurrency.
type Scale struct {
	Min              int           `koanf:"min"`              // 0 = all may go when nothing comes
	Max              int           `koanf:"max"`              // of memory there has to be enough for so many
	Lookback         time.Duration `koanf:"lookback"`         // for so long fewer have to do
	TargetProcessing time.Duration `koanf:"targetProcessing"` // what waits is to be through within
	CooldownUp       time.Duration `koanf:"cooldownUp"`       // after a change until there may be more
	CooldownDown     time.Duration `koanf:"cooldownDown"`     // after a change until there may be fewer
	StepUp           int           `koanf:"stepUp"`           // most of one change
	StepDown         int           `koanf:"stepDown"`         // most of one change
}

const (
	minScaleTime = time.Second
	maxScaleTime = time.Hour
)

// scale fills a Scale and checks it on its own. Min is 1 by default: with 0 the first record
// after a rest waits until an instance is started, which whoever wants it asks for. Max
// follows in scaled.
func (b *binder) scale(p path, in any, out reflect.Value) {
	s := out.Addr().Interface().(*Scale)
	*s = Scale{Min: 1, Lookback: 2 * time.Minute, TargetProcessing: 20 * time.Second, CooldownUp: 10 * time.Second, CooldownDown: time.Minute, StepUp: 4, StepDown: 2}
	b.fields(p, in, out)
	keys, ok := in.(map[string]any)
	if !ok {
		return
	}
	within(b, p.key("min"), s.Min, 0, maxConcurrency)
	if keys["max"] != nil && !b.about(p.key("max")) { // or it follows
		within(b, p.key("max"), s.Max, 1, maxConcurrency)
	}
	within(b, p.key("lookback"), s.Lookback, minScaleTime, maxScaleTime)
	within(b, p.key("targetProcessing"), s.TargetProcessing, minScaleTime, maxScaleTime)
	within(b, p.key("cooldownUp"), s.CooldownUp, 0, maxScaleTime)
	within(b, p.key("cooldownDown"), s.CooldownDown, 0, maxScaleTime)
	within(b, p.key("stepUp"), s.StepUp, 1, maxConcurrency)
	within(b, p.key("stepDown"), s.StepDown, 1, maxConcurrency)
}

// scaled checks how a vertex is scaled against the rest of it. Without a max that is
// written the concurrency is the most, so that no more memory is needed than without
// scale; without a concurrency one call per core, within the bounds, is the beginning.
func (b *binder) scaled(p path, v *Vertex, keys map[string]any) {
	s, at := v.Scale, p.key("scale")
	if s == nil || b.about(at) {
		return
	}
	if v.State.Memory {
		b.add(b.key(at), at, stream.ConfigUnknownKey, "with state: memory there are as many instances as partitions, for the life of the pipeline", "remove it, and write partitions: 4, say")
		return
	}
	if v.Concurrency.Min > 0 {
		b.add(b.key(at), at, stream.ConfigValue, "the concurrency adapts by itself, and two cannot decide about it", "write concurrency: and a number, with which it begins, or remove scale")
		return
	}
	begin, said := v.Concurrency.Max, keys["concurrency"] != nil
	if written, _ := keys["scale"].(map[string]any); written["max"] == nil {
		if s.Max = max(begin, s.Min); s.Max == 0 {
			s.Max = runtime.GOMAXPROCS(0)
		}
	}
	switch {
	case b.about(at.key("min")) || b.about(at.key("max")) || b.about(p.key("concurrency")):
	case s.Min > s.Max:
		b.fault(at, stream.ConfigValue, fmt.Sprintf("min %d is more than max %d", s.Min, s.Max), "write {min: fewest, max: most}")
	case said && (begin < s.Min || begin > s.Max):
		b.fault(p.key("concurrency"), stream.ConfigValue, fmt.Sprintf("it begins with %d, which is not within min %d and max %d of scale", begin, s.Min, s.Max), "write one within them, or remove it")
	case !said:
		v.Concurrency.Max = min(max(begin, s.Min, 1), s.Max)
	}
}
