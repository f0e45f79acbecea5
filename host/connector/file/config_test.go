package file_test

import (
	"slices"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/connector/file"
)

func TestValidateSource(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*file.SourceConfig)
		want   []string
	}{
		{"the defaults with a path are valid", func(*file.SourceConfig) {}, nil},
		{"no path is refused", func(c *file.SourceConfig) { c.Path = "" }, []string{"path"}},
		{"a malformed glob is refused", func(c *file.SourceConfig) { c.Path = "a[" }, []string{"path"}},
		{"an unknown mode is refused", func(c *file.SourceConfig) { c.Mode = "line" }, []string{"mode"}},
		{"whole files cannot be followed", func(c *file.SourceConfig) { c.Mode, c.Follow = "whole", true }, []string{"follow"}},
		{"compressed files cannot be followed", func(c *file.SourceConfig) { c.Path, c.Follow = "*.gz", true }, []string{"follow"}},
		{"an interval of zero is refused", func(c *file.SourceConfig) { c.Follow, c.Poll = true, 0 }, []string{"poll"}},
		{"an interval is of no interest without follow", func(c *file.SourceConfig) { c.Poll = 0 }, nil},
		{"every size is checked", func(c *file.SourceConfig) { c.MaxRecordBytes, c.BatchBytes, c.BatchRecords = 0, 0, 1<<20+1 },
			[]string{"maxRecordBytes", "batchBytes", "batchRecords"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := settings("a.log", test.change)
			check(t, cfg.Validate, test.want)
		})
	}
}

func TestValidateSink(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*file.SinkConfig)
		want   []string
	}{
		{"the defaults with a path are valid", func(*file.SinkConfig) {}, nil},
		{"no path is refused", func(c *file.SinkConfig) { c.Path = "" }, []string{"path"}},
		{"a format that there is not is refused", func(c *file.SinkConfig) { c.Format = "csv" }, []string{"format"}},
		{"a mode that is not octal is refused", func(c *file.SinkConfig) { c.Perm = "rw-" }, []string{"perm"}},
		{"a mode beyond 0777 is refused", func(c *file.SinkConfig) { c.Perm = "1777" }, []string{"perm"}},
		{"a path with a place for the part is valid", func(c *file.SinkConfig) { c.Path = "out/{part}.log" }, nil},
		{"parts may have a size and a time", func(c *file.SinkConfig) { c.Path, c.Roll = "{part}", file.Roll{Size: 1, Time: time.Second} }, nil},
		{"a folder for each part is refused", func(c *file.SinkConfig) { c.Path = "{part}/out" }, []string{"path"}},
		{"two places for the part are refused", func(c *file.SinkConfig) { c.Path = "{part}{part}" }, []string{"path"}},
		{"a size of parts without a place for their number is refused", func(c *file.SinkConfig) { c.Roll.Size = 1 }, []string{"roll"}},
		{"a time below a millisecond is refused", func(c *file.SinkConfig) { c.Path, c.Roll.Time = "{part}", 1 }, []string{"roll.time"}},
		{"negative limits are refused", func(c *file.SinkConfig) { c.Path, c.Roll = "{part}", file.Roll{Size: -1, Time: -1} }, []string{"roll.size", "roll.time"}},
		{"an empty buffer is refused", func(c *file.SinkConfig) { c.BufferBytes = 0 }, []string{"bufferBytes"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := sinkSettings("out", test.change)
			check(t, cfg.Validate, test.want)
		})
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]file.Size{"0": 0, "12": 12, " 3 B": 3, "64MiB": 64 << 20, "1 GB": 1e9, "2KiB": 2048, "8191PiB": -1, "": -1, "MiB": -1, "-1": -1, "1.5MiB": -1, "9999999TiB": -1, "x": -1} {
		got := file.Size(-1)
		if err := got.UnmarshalText([]byte(text)); got != want || (err == nil) != (want >= 0) {
			t.Errorf("%q is %d, %v; want %d", text, got, err, want)
		}
	}
}

func check(t *testing.T, validate func(report func(path, why, fix string)), want []string) {
	t.Helper()
	var got []string
	validate(func(path, why, fix string) {
		got = append(got, path)
		if why == "" || fix == "" {
			t.Errorf("%s: why %q, fix %q", path, why, fix)
		}
	})
	if !slices.Equal(got, want) {
		t.Errorf("faults at %v, want %v", got, want)
	}
}
