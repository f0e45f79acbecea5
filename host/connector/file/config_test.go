package file_test

import (
	"slices"
	"testing"

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
		{"an empty buffer is refused", func(c *file.SinkConfig) { c.BufferBytes = 0 }, []string{"bufferBytes"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := sinkSettings("out", test.change)
			check(t, cfg.Validate, test.want)
		})
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
