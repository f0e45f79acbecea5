package generator

import (
	"math"
	"strconv"
	"time"
)

const (
	maxSize  = 64 << 20
	maxRate  = 1e9
	maxBatch = 1 << 20
)

// SourceConfig is the settings of a source.
type SourceConfig struct {
	// Count is how many records there are; 0 = without end. For nexmark it
	// counts events, those of other types than asked for included.
	Count int64 `koanf:"count"`
	// Rate is in records per second, or events as Count; 0 = as fast as can be.
	Rate float64 `koanf:"rate"`
	// Size of a value in bytes, if there is neither a template nor nexmark.
	Size int `koanf:"size"`
	// Template is text with {{seq}}, {{rand N}}, {{time}} and {{pick a b c}}.
	Template string         `koanf:"template"`
	Nexmark  *NexmarkConfig `koanf:"nexmark"`
	// Seed of everything random.
	Seed         uint64 `koanf:"seed"`
	BatchRecords int    `koanf:"batchRecords"`
}

// NexmarkConfig is the settings of Nexmark events.
type NexmarkConfig struct {
	// EventsPerSecond is in event time; 0 = DefaultEventsPerSecond. It has
	// nothing to do with the rate.
	EventsPerSecond int64 `koanf:"eventsPerSecond"`
	// BaseTime is the event time of the first event; zero = DefaultBaseTime.
	BaseTime time.Time `koanf:"baseTime"`
	// Types are the kinds of events to give out: person, auction, bid. None
	// means all.
	Types []string `koanf:"types"`
}

// Defaults of NexmarkConfig, in RFC 3339.
const (
	DefaultEventsPerSecond = 10_000
	DefaultBaseTime        = "2015-07-15T00:00:00Z"
)

// DefaultSource returns the settings that hold where the user set none.
func DefaultSource() SourceConfig { return SourceConfig{Size: 128, BatchRecords: 1024} }

// Validate reports every fault of the settings, by key.
func (c SourceConfig) Validate(report func(path, why, fix string)) {
	if c.Count < 0 {
		report("count", "a count cannot be negative", "use 0 for records without end")
	}
	if math.IsNaN(c.Rate) || c.Rate < 0 || c.Rate > maxRate {
		report("rate", "a rate of "+strconv.FormatFloat(c.Rate, 'g', -1, 64)+" records per second is out of range",
			"use a number up to 1e9, or 0 to go as fast as can be")
	}
	if c.Size < 0 || c.Size > maxSize {
		report("size", strconv.Itoa(c.Size)+" bytes is out of range", "use 0 to "+strconv.Itoa(maxSize))
	}
	if c.BatchRecords < 1 || c.BatchRecords > maxBatch {
		report("batchRecords", strconv.Itoa(c.BatchRecords)+" is out of range", "use 1 to "+strconv.Itoa(maxBatch))
	}
	if _, f := parseTemplate(c.Template); f != nil {
		report("template", f.why, f.fix)
	}
	if c.Nexmark != nil {
		if c.Template != "" {
			report("nexmark", "a template is set too", "remove template or nexmark")
		}
		c.Nexmark.Validate(func(path, why, fix string) { report("nexmark."+path, why, fix) })
	}
}

// Validate reports every fault of the settings, by key.
func (c NexmarkConfig) Validate(report func(path, why, fix string)) {
	if c.EventsPerSecond < 0 || c.EventsPerSecond > 1e9 {
		report("eventsPerSecond", strconv.FormatInt(c.EventsPerSecond, 10)+" is out of range", "use 1 to 1000000000, or 0 for the default")
	}
	if y := c.BaseTime.Year(); !c.BaseTime.IsZero() && (y < 1970 || y > 2200) {
		report("baseTime", "the year "+strconv.Itoa(y)+" is out of range", "use a year from 1970 to 2200")
	}
	for i, name := range c.Types {
		if _, ok := kindOf(name); !ok {
			report("types."+strconv.Itoa(i), "there is no type "+strconv.Quote(name), "use person, auction or bid")
		}
	}
}
