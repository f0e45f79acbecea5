package config

import (
	"fmt"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// Call bounds one call of a UDF, by what is met first.
type Call struct {
	MaxRecords int           `koanf:"maxRecords"`
	MaxBytes   Bytes         `koanf:"maxBytes"`
	MaxTime    time.Duration `koanf:"maxTime"` // that it should take: slow records share it with fewer others; 0 = any
}

// Batch bounds something in records and in bytes, whichever is met first.
type Batch struct {
	MaxRecords int   `koanf:"maxRecords"`
	MaxBytes   Bytes `koanf:"maxBytes"`
}

// Stage bounds what waits in a place of a vertex, and says what happens then.
type Stage struct {
	MaxRecords int   `koanf:"maxRecords"`
	MaxBytes   Bytes `koanf:"maxBytes"`
	WhenFull   Full  `koanf:"whenFull"`
}

// Full says what happens to records for which there is no room.
type Full string

// The policies when full. Block makes the sender wait and loses nothing.
const (
	FullBlock      Full = "block"
	FullDropOldest Full = "dropOldest" // what has waited longest makes room
	FullDropNewest Full = "dropNewest" // what finds no room goes
)

// Choices implements Choice.
func (Full) Choices() []string {
	return []string{string(FullBlock), string(FullDropOldest), string(FullDropNewest)}
}

const (
	maxRecords = 1 << 16
	maxBytes   = GiB
)

// batch checks a limit.
func (b *binder) batch(p path, v Batch) {
	within(b, p.key("maxRecords"), v.MaxRecords, 1, maxRecords)
	within(b, p.key("maxBytes"), v.MaxBytes, 1, maxBytes)
}

// stages checks the limits of a vertex.
func (b *binder) stages(p path, v *Vertex) {
	b.batch(p.key("batch"), Batch{v.Batch.MaxRecords, v.Batch.MaxBytes})
	if t := v.Batch.MaxTime; t < 0 || t > time.Hour {
		b.fault(p.key("batch").key("maxTime"), stream.ConfigValue, fmt.Sprintf("%v is out of range", t), "use 0 to 1h")
	}
	b.batch(p.key("queue"), Batch{v.Queue.MaxRecords, v.Queue.MaxBytes})
	b.batch(p.key("processing"), v.Processing)
	b.batch(p.key("output"), Batch{v.Output.MaxRecords, v.Output.MaxBytes})
}
