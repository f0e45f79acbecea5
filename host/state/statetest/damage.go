package statetest

import (
	"slices"

	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/host/stream"
)

// Withstands holds that a vertex takes parts with any damage without a panic: it
// refuses them, or goes on with what they say.
func Withstands(t *rapid.T, p Plan) {
	v := p.Fresh(t)
	var parts []Part
	for range rapid.IntRange(1, 3).Draw(t, "checkpoints") {
		for range rapid.IntRange(1, 6).Draw(t, "steps") {
			p.Step(t)(v)
		}
		w := newView(t, v, false, 0)
		w.read(1 << 30)
		w.release(t, true)
		parts = chained(parts, w.parts...)
	}
	for range rapid.IntRange(1, 4).Draw(t, "damages") {
		d := &parts[rapid.IntRange(0, len(parts)-1).Draw(t, "part")]
		d.Data = slices.Clone(d.Data)
		switch rapid.IntRange(0, 3).Draw(t, "damage") {
		case 0:
			d.Table = rapid.SampledFrom(parts).Draw(t, "other").Table
		case 1:
			d.Full = !d.Full
		default:
			if n := len(d.Data); n > 0 {
				d.Data[rapid.IntRange(0, n-1).Draw(t, "byte")] ^= byte(rapid.IntRange(1, 255).Draw(t, "bits"))
			}
		}
	}
	v = p.Fresh(t)
	v.forgiven = true
	switch err := Restore(v, parts); stream.CodeOf(err) {
	case stream.StateCorrupt, stream.StateFull, stream.StateForeign:
		v.Reset()
	default:
		if err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		p.Step(t)(v)
	}
	p.End(v)
}
