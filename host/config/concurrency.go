package config

import (
	"fmt"
	"reflect"

	"github.com/wasmill/wasmill/host/stream"
)

// Concurrency is how many calls of a UDF run at once. It is written as a number, 0 for a
// vertex that rests, as {min: a, max: b} to let it adapt in between, or auto, which is {min: 1, max: 64}.
type Concurrency struct {
	Min int `koanf:"min"` // 0 = always Max
	Max int `koanf:"max"`
}

const maxConcurrency = 4096

func (c Concurrency) String() string {
	if c.Min == 0 {
		return fmt.Sprint(c.Max)
	}
	return fmt.Sprintf("%d–%d", c.Min, c.Max)
}

// concurrency fills a Concurrency.
func (b *binder) concurrency(p path, in any, out reflect.Value) {
	c := out.Addr().Interface().(*Concurrency)
	auto := Concurrency{Min: 1, Max: 64}
	if _, ok := in.(map[string]any); ok {
		*c = auto
		b.fields(p, in, out)
		within(b, p.key("min"), c.Min, 1, maxConcurrency)
		within(b, p.key("max"), c.Max, 1, maxConcurrency)
		if c.Min > c.Max && c.Min <= maxConcurrency && c.Max > 0 {
			b.fault(p, stream.ConfigValue, fmt.Sprintf("min %d is more than max %d", c.Min, c.Max), "write {min: fewest, max: most}")
		}
		return
	}
	if in == "auto" {
		*c = auto
		return
	}
	if at := b.value(p); at.loose {
		in = loosen(in, at.text, reflect.Int)
	}
	switch in.(type) {
	case int, int64, uint64:
		*c = Concurrency{}
		b.scalar(p, in, reflect.ValueOf(&c.Max).Elem())
		if !b.about(p) {
			within(b, p, c.Max, 0, maxConcurrency)
		}
	default:
		b.mismatch(p, in, "a number of calls, auto, or {min, max}", "write one such as 8, auto, or {min: 2, max: 128}")
	}
}
