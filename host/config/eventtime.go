package config

import (
	"fmt"
	"reflect"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// EventTime says where the records of a source have the time at which they
// happened: in one of JSON, Header and Key.
type EventTime struct {
	JSON   string `koanf:"json"` // path into a JSON value
	Header string `koanf:"header"`
	Key    bool   `koanf:"key"`
	Format string `koanf:"format"` // see field.ParseTime

	MaxOutOfOrder time.Duration `koanf:"maxOutOfOrder"` // how far behind the latest record others may come
}

const (
	maxOutOfOrder  = 30 * 24 * time.Hour
	maxIdleTimeout = 24 * time.Hour
)

// eventTime fills an EventTime and checks it. What path and format mean is
// checked where they are used.
func (b *binder) eventTime(p path, in any, out reflect.Value) {
	t := out.Addr().Interface().(*EventTime)
	t.Format = "rfc3339"
	b.fields(p, in, out)
	if _, ok := in.(map[string]any); !ok {
		return
	}
	ways := 0
	for _, w := range []struct {
		key string
		set bool
	}{{"json", t.JSON != ""}, {"header", t.Header != ""}, {"key", t.Key}} {
		if w.set || b.about(p.key(w.key)) {
			ways++
		}
	}
	const fix = "write one of json: path, header: name and key: true"
	switch {
	case ways == 0:
		b.fault(p, stream.ConfigMissing, "it is not said where the time is", fix)
	case ways > 1:
		b.fault(p, stream.ConfigValue, fmt.Sprintf("it is said in %d ways where the time is", ways), fix)
	}
	within(b, p.key("maxOutOfOrder"), t.MaxOutOfOrder, 0, maxOutOfOrder)
}
