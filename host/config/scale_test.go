package config_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/config"
)

func TestScaleAndConcurrencyFitEachOther(t *testing.T) {
	cores := runtime.GOMAXPROCS(0)
	usual := config.Scale{Min: 1, Max: cores, Lookback: 2 * time.Minute, TargetProcessing: 20 * time.Second, CooldownUp: 10 * time.Second, CooldownDown: time.Minute, StepUp: 4, StepDown: 2}
	with := func(min, max int) config.Scale {
		s := usual
		s.Min, s.Max = min, max
		return s
	}
	for _, test := range []struct {
		name, text string
		scale      config.Scale
		begin      int
	}{
		{"by default it is as without, at most", "scale: {}", usual, cores},
		{"it begins within the bounds", "scale: {max: 1}", with(1, 1), 1},
		{"from the fewest", "scale: {min: 100}", with(100, 100), 100},
		{"a concurrency is the most by default", "scale: {}, concurrency: 77", with(1, 77), 77},
		{"or the beginning", "scale: {max: 90}, concurrency: 77", with(1, 90), 77},
		{"which may be at rest", "scale: {min: 0}, concurrency: 0", with(0, cores), 0},
		{"but only if that is said", "scale: {min: 0, max: 1}", with(0, 1), 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := loadText(t, strings.Replace("name: p\nvertices:\n  - {name: in, source: {generate: {rate: 5}}}\n  - {name: f, udf: {plugin: a}, WITH}\n  - {name: out, sink: drop}\nedges: [{from: in, to: f}, {from: f, to: out}]\n", "WITH", test.text, 1))
			v := p.Vertices[1]
			if *v.Scale != test.scale || v.Concurrency != (config.Concurrency{Max: test.begin}) {
				t.Errorf("got %+v from %v, want %+v from %d", *v.Scale, v.Concurrency, test.scale, test.begin)
			}
		})
	}
	if p := loadText(t, everything); p.Vertices[3].Scale != nil {
		t.Error("there is a scale that nobody asked for")
	}
}
