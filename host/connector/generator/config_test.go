package generator_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/connector/generator"
)

func TestValidate(t *testing.T) {
	type config = generator.SourceConfig
	for _, test := range []struct {
		name   string
		change func(*config)
		want   []string
		says   string
	}{
		{name: "the defaults are valid", change: func(*config) {}},
		{name: "a count below zero is refused", change: func(c *config) { c.Count = -1 }, want: []string{"count"}},
		{name: "a rate below zero is refused", change: func(c *config) { c.Rate = -1 }, want: []string{"rate"}},
		{name: "a rate that is no number is refused", change: func(c *config) { c.Rate = math.NaN() }, want: []string{"rate"}},
		{name: "a size below zero is refused", change: func(c *config) { c.Size = -1 }, want: []string{"size"}},
		{name: "a size over 64 MiB is refused", change: func(c *config) { c.Size = 64<<20 + 1 }, want: []string{"size"}},
		{name: "a size of 64 MiB is valid", change: func(c *config) { c.Size = 64 << 20 }},
		{name: "an empty batch is refused", change: func(c *config) { c.BatchRecords = 0 }, want: []string{"batchRecords"}},
		{name: "a template and nexmark exclude each other", change: func(c *config) { c.Template, c.Nexmark = "x", &generator.NexmarkConfig{} }, want: []string{"nexmark"}},
		{name: "an unknown type is refused", change: func(c *config) { c.Nexmark = &generator.NexmarkConfig{Types: []string{"bid", "bids"}} }, want: []string{"nexmark.types.1"}, says: `"bids"`},
		{name: "a negative spacing is refused", change: func(c *config) { c.Nexmark = &generator.NexmarkConfig{EventsPerSecond: -1} }, want: []string{"nexmark.eventsPerSecond"}},
		{name: "a base time before 1970 is refused", change: func(c *config) { c.Nexmark = &generator.NexmarkConfig{BaseTime: time.Unix(-1e9, 0)} }, want: []string{"nexmark.baseTime"}},
		{name: "every fault is reported", change: func(c *config) { c.Count, c.Rate, c.Size = -1, -1, -1 }, want: []string{"count", "rate", "size"}},
		{name: "a known template is valid", change: func(c *config) { c.Template = "{{seq}}{{ rand 5 }}{{time}}{{pick a}} } {" }},
		{name: "an unknown word in a template is named", change: func(c *config) { c.Template = "a {{sequence}}" }, want: []string{"template"}, says: "{{sequence}} is not known"},
		{name: "rand without a number is named", change: func(c *config) { c.Template = "{{rand}}" }, want: []string{"template"}, says: "{{rand}} needs"},
		{name: "rand of zero is named", change: func(c *config) { c.Template = "{{rand 0}}" }, want: []string{"template"}, says: "{{rand 0}} needs"},
		{name: "pick from nothing is named", change: func(c *config) { c.Template = "{{pick }}" }, want: []string{"template"}, says: "nothing to pick"},
		{name: "seq with an argument is named", change: func(c *config) { c.Template = "{{seq 1}}" }, want: []string{"template"}, says: "{{seq 1}} takes no argument"},
		{name: "an empty token is refused", change: func(c *config) { c.Template = "{{}}" }, want: []string{"template"}, says: "{{}} is empty"},
		{name: "an open token is named", change: func(c *config) { c.Template = "a {{seq" }, want: []string{"template"}, says: "{{seq is not closed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var paths []string
			var text string
			settings(test.change).Validate(func(path, why, fix string) {
				paths = append(paths, path)
				text += why
				if why == "" || fix == "" {
					t.Errorf("%s: why %q, fix %q", path, why, fix)
				}
			})
			if !slices.Equal(paths, test.want) || !strings.Contains(text, test.says) {
				t.Errorf("faults at %v: %s; want %v: %s", paths, text, test.want, test.says)
			}
		})
	}
}
