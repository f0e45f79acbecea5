package control

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/wasmill/wasmill/host/connector/file"
	"github.com/wasmill/wasmill/host/stream"
)

// checkFiles refuses two sinks that write one file, and a sink that writes what
// a source reads.
func (b *build) checkFiles() {
	writer := map[string]stream.VertexID{}
	for i, v := range b.config.Vertices {
		if v.Sink == nil {
			continue
		}
		c, ok := v.Sink.Settings.(*file.SinkConfig)
		if !ok {
			continue
		}
		path := identity(b.Lent.path(c.Path))
		if device(path) {
			continue // it may have several ends
		}
		refuse := func(why, fix string) {
			where := b.config.Where(fmt.Sprintf("vertices[%d].sink.file.path", i))
			b.errs = append(b.errs, &stream.Error{Code: stream.ConfigValue, Where: where, Why: why, Fix: fix})
		}
		if other, taken := writer[path]; taken {
			refuse(fmt.Sprintf("%s is written by %s as well", c.Path, other), "give each sink a file of its own, or lead both edges into one sink")
		}
		writer[path] = v.Name
		if reader, ok := b.readerOf(path); ok {
			refuse(fmt.Sprintf("%s is what %s reads", c.Path, reader), "write to another file")
		}
	}
}

// readerOf returns a source that reads a file.
func (b *build) readerOf(path string) (stream.VertexID, bool) {
	for _, v := range b.config.Vertices {
		if v.Source == nil {
			continue
		}
		c, ok := v.Source.Settings.(*file.SourceConfig)
		if !ok {
			continue
		}
		pattern := b.Lent.path(c.Path)
		if matched, err := filepath.Match(identity(pattern), path); identity(pattern) == path || err == nil && matched {
			return v.Name, true
		}
		found, err := filepath.Glob(pattern)
		for _, name := range found {
			if err == nil && identity(name) == path {
				return v.Name, true
			}
		}
	}
	return "", false
}

// device says whether a path is that of a device, a pipe or anything but a file.
func device(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.Mode().IsRegular()
}

// identity is a path without links and relative parts, as far as it exists.
func identity(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		return filepath.Join(dir, filepath.Base(path))
	}
	return path
}
