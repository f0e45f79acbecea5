package file

import (
	"path/filepath"
	"strconv"
	"time"

	"github.com/wasmill/wasmill/host/connector/internal/envelope"
)

// Values of SourceConfig.Mode.
const (
	ModeLines = "lines" // a record per line
	ModeWhole = "whole" // a record per file, with its path in the header "path"
)

// Bounds of settings.
const (
	maxRecordBytes = 1 << 30
	maxBatchBytes  = 1 << 30
	maxBatch       = 1 << 20
)

// SourceConfig is the settings of a file source.
type SourceConfig struct {
	// Path is the name of a file, or a glob as in path/filepath. A file of just
	// that name comes before the meaning as a glob. Names that end in .gz or
	// .zst are decompressed.
	Path string `koanf:"path"`
	Mode string `koanf:"mode"`
	// Follow waits for more at the end of the files, and for more files.
	Follow bool `koanf:"follow"`
	// Poll is how long a follower waits before it looks again.
	Poll time.Duration `koanf:"poll"`
	// MaxRecordBytes is the size over which a line or file is an error.
	MaxRecordBytes int `koanf:"maxRecordBytes"`
	BatchBytes     int `koanf:"batchBytes"`
	BatchRecords   int `koanf:"batchRecords"`
}

// DefaultSource returns the settings that hold where the user set none.
func DefaultSource() SourceConfig {
	return SourceConfig{
		Mode:           ModeLines,
		Poll:           200 * time.Millisecond,
		MaxRecordBytes: 1 << 20,
		BatchBytes:     256 << 10,
		BatchRecords:   1024,
	}
}

// Validate reports every fault of the settings, by key.
func (c SourceConfig) Validate(report func(path, why, fix string)) {
	if c.Path == "" {
		report("path", "no path is given", "set it to a file or a glob, such as logs/*.log")
	} else if _, err := filepath.Match(c.Path, ""); err != nil {
		report("path", "the glob "+strconv.Quote(c.Path)+" is malformed", "close every [ with a ]")
	}
	if c.Mode != ModeLines && c.Mode != ModeWhole {
		report("mode", "there is no mode "+strconv.Quote(c.Mode), "use lines or whole")
	}
	if c.Follow && c.Mode == ModeWhole {
		report("follow", "a whole file cannot be followed, as its end is not known", "use mode: lines, or follow: false")
	}
	if c.Follow && compression(c.Path) != plain {
		report("follow", "a compressed file cannot be followed", "follow the file before it is compressed, or use follow: false")
	}
	if c.Follow && c.Poll < time.Millisecond {
		report("poll", "the interval "+c.Poll.String()+" is too short", "use 1ms or more; 200ms is the default")
	}
	inRange(report, "maxRecordBytes", c.MaxRecordBytes, maxRecordBytes)
	inRange(report, "batchBytes", c.BatchBytes, maxBatchBytes)
	inRange(report, "batchRecords", c.BatchRecords, maxBatch)
}

// SinkConfig is the settings of a file sink.
type SinkConfig struct {
	// Path is the name of the file. Its folder must exist. With {part} in the name
	// there are several files, each with a number of its own in that place.
	Path string `koanf:"path"`
	// Roll says when one of several files ends and the next begins.
	Roll Roll `koanf:"roll"`
	// Append keeps what the file holds. Otherwise the file is replaced: it then
	// has the results of this run alone. Several files are always kept.
	Append bool `koanf:"append"`
	// Format is what a line has: the value of a record, or all of it as JSON.
	Format string `koanf:"format"`
	// Sync makes every Flush wait until the disk has the data.
	Sync bool `koanf:"sync"`
	// BufferBytes are gathered before the file is written to.
	BufferBytes int `koanf:"bufferBytes"`
	// Perm is the mode of a new file in octal, before the umask.
	Perm string `koanf:"perm"`
}

// DefaultSink returns the settings that hold where the user set none.
func DefaultSink() SinkConfig {
	return SinkConfig{Format: envelope.Value, BufferBytes: 256 << 10, Perm: "0644"}
}

// Validate reports every fault of the settings, by key.
func (c SinkConfig) Validate(report func(path, why, fix string)) {
	if c.Path == "" {
		report("path", "no path is given", "set it to the file to write")
	}
	c.Roll.validate(c.Path, report)
	envelope.Valid(c.Format, report)
	if _, err := c.perm(); err != nil {
		report("perm", strconv.Quote(c.Perm)+" is no file mode", `use octal digits in quotes, such as "0644"`)
	}
	inRange(report, "bufferBytes", c.BufferBytes, maxBatchBytes)
}

func (c SinkConfig) perm() (uint64, error) { return strconv.ParseUint(c.Perm, 8, 9) }

func inRange(report func(path, why, fix string), key string, value, most int) {
	if value < 1 || value > most {
		report(key, strconv.Itoa(value)+" is out of range", "use 1 to "+strconv.Itoa(most))
	}
}
