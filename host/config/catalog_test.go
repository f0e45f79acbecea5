package config_test

import (
	"time"

	"github.com/wasmill/wasmill/host/config"
)

// generate has a setting of every type that a Catalog allows.
type generate struct {
	Rate     float64           `koanf:"rate"`
	Count    uint32            `koanf:"count"`
	Seed     int16             `koanf:"seed"`
	Loop     bool              `koanf:"loop"`
	Size     config.Bytes      `koanf:"size"`
	Every    time.Duration     `koanf:"every"`
	Shape    shape             `koanf:"shape"`
	Types    []string          `koanf:"types"`
	Labels   map[string]string `koanf:"labels"`
	Template any               `koanf:"template"`
	Nexmark  *nexmark          `koanf:"nexmark"`
}

type nexmark struct {
	Types []string `koanf:"types"`
}

type shape string

func (shape) Choices() []string { return []string{"flat", "burst"} }

func (g *generate) Validate(report func(path, why, fix string)) {
	if g.Rate <= 0 {
		report("rate", "the rate is not positive", "write a number of records per second")
	}
	if g.Nexmark != nil {
		for _, t := range g.Nexmark.Types {
			if t != "bid" {
				report("nexmark.types", "there is no event type "+t, "use bid")
			}
		}
	}
}

type file struct {
	Path string `koanf:"path"`
}

func (f *file) Validate(report func(path, why, fix string)) {
	if f.Path == "" {
		report("path", "a file needs a path", "write path: and the path of a file")
	}
}

type drop struct{}

func newGenerate() any { return &generate{Rate: 100, Seed: 7, Shape: "flat", Types: []string{"a"}} }
func newFile() any     { return &file{} }
func newDrop() any     { return &drop{} }

func catalog() config.Catalog {
	return config.Catalog{
		Sources: map[string]func() any{"generate": newGenerate, "file": newFile},
		Sinks:   map[string]func() any{"drop": newDrop, "file": newFile},
	}
}
