package control

import (
	"io"
	"path/filepath"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/connector/drop"
	"github.com/wasmill/wasmill/host/connector/file"
	"github.com/wasmill/wasmill/host/connector/generator"
	"github.com/wasmill/wasmill/host/connector/stdio"
	"github.com/wasmill/wasmill/host/stream"
)

// Lent is what connectors use of the process around them.
type Lent struct {
	Stdin  io.Reader
	Stdout io.Writer
	Dir    string            // that relative paths are relative to
	Notice func(text string) // what a source noticed and went on from
}

func (l *Lent) path(p string) string {
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(l.Dir, p)
}

// sourceKind and sinkKind are entries of the catalog: new settings with their
// defaults, and what is made of them.
type sourceKind struct {
	settings func() any
	open     func(settings any, l *Lent) stream.Source
}

type sinkKind struct {
	settings  func() any
	open      func(settings any, l *Lent) stream.Sink
	guarantee func(settings any, l *Lent) Guarantee
}

func pointerTo[T any](defaults func() T) func() any {
	return func() any { s := defaults(); return &s }
}

// sources and sinks are the catalog.
func sources() map[string]sourceKind {
	return map[string]sourceKind{
		"file": {pointerTo(file.DefaultSource), func(s any, l *Lent) stream.Source {
			c := *s.(*file.SourceConfig)
			c.Path = l.path(c.Path)
			return file.NewSource(c, l.Notice)
		}},
		"stdin": {pointerTo(stdio.DefaultSource), func(s any, l *Lent) stream.Source {
			return stdio.NewSource(*s.(*stdio.SourceConfig), l.Stdin)
		}},
		"generator": {pointerTo(generator.DefaultSource), func(s any, _ *Lent) stream.Source {
			return generator.NewSource(*s.(*generator.SourceConfig))
		}},
	}
}

func sinks() map[string]sinkKind {
	return map[string]sinkKind{
		"file": {pointerTo(file.DefaultSink), func(s any, l *Lent) stream.Sink {
			c := *s.(*file.SinkConfig)
			c.Path = l.path(c.Path)
			return file.NewSink(c)
		}, func(s any, l *Lent) Guarantee {
			if device(l.path(s.(*file.SinkConfig).Path)) {
				return AtLeastOnce
			}
			return ExactlyOnce
		}},
		"stdout": {pointerTo(stdio.DefaultSink), func(s any, l *Lent) stream.Sink {
			return stdio.NewSink(*s.(*stdio.SinkConfig), l.Stdout)
		}, func(any, *Lent) Guarantee { return AtLeastOnce }},
		"drop": {pointerTo(drop.DefaultSink), func(s any, _ *Lent) stream.Sink {
			return drop.NewSink(*s.(*drop.SinkConfig))
		}, func(any, *Lent) Guarantee { return "" }},
	}
}

// Catalog returns the kinds of sources and sinks for reading a config.
func Catalog() config.Catalog {
	c := config.Catalog{Sources: map[string]func() any{}, Sinks: map[string]func() any{}}
	for name, kind := range sources() {
		c.Sources[name] = kind.settings
	}
	for name, kind := range sinks() {
		c.Sinks[name] = kind.settings
	}
	return c
}
