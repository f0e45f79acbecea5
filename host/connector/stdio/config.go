package stdio

import (
	"strconv"

	"github.com/wasmill/wasmill/host/connector/internal/envelope"
)

// SourceConfig is the settings of a source.
type SourceConfig struct {
	// MaxRecordBytes is the size over which a line is an error.
	MaxRecordBytes int `koanf:"maxRecordBytes"`
	BatchBytes     int `koanf:"batchBytes"`
	BatchRecords   int `koanf:"batchRecords"`
}

// DefaultSource returns the settings that hold where the user set none.
func DefaultSource() SourceConfig {
	return SourceConfig{MaxRecordBytes: 1 << 20, BatchBytes: 256 << 10, BatchRecords: 1024}
}

// Validate reports every fault of the settings, by key.
func (c SourceConfig) Validate(report func(path, why, fix string)) {
	inRange(report, "maxRecordBytes", c.MaxRecordBytes, 1<<30)
	inRange(report, "batchBytes", c.BatchBytes, 1<<30)
	inRange(report, "batchRecords", c.BatchRecords, 1<<20)
}

// SinkConfig is the settings of a sink.
type SinkConfig struct {
	// Format is what a line has: the value of a record, or all of it as JSON.
	Format string `koanf:"format"`
	// BufferBytes are gathered before the stream is written to.
	BufferBytes int `koanf:"bufferBytes"`
}

// DefaultSink returns the settings that hold where the user set none.
func DefaultSink() SinkConfig { return SinkConfig{Format: envelope.Value, BufferBytes: 64 << 10} }

// Validate reports every fault of the settings, by key.
func (c SinkConfig) Validate(report func(path, why, fix string)) {
	envelope.Valid(c.Format, report)
	inRange(report, "bufferBytes", c.BufferBytes, 1<<30)
}

func inRange(report func(path, why, fix string), key string, value, most int) {
	if value < 1 || value > most {
		report(key, strconv.Itoa(value)+" is out of range", "use 1 to "+strconv.Itoa(most))
	}
}
