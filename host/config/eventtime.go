package config

import (
	"reflect"
	"time"
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
	b.one(p, "where the time is", "write one of json: path, header: name and key: true", way{"json", t.JSON != ""}, way{"header", t.Header != ""}, way{"key", t.Key})
	within(b, p.key("maxOutOfOrder"), t.MaxOutOfOrder, 0, maxOutOfOrder)
}
