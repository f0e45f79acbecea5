package host

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/control/plan"
	"github.com/wasmill/wasmill/host/pipeline"
)

// mistakes are edits of numbers that cannot be in force, by what they are, with what the
// error says.
func mistakes() map[string][3]string { // old, new, error
	return map[string][3]string{
		"bad YAML":         {"edges:\n", "edges: [\n", "[config-syntax]"},
		"an unknown key":   {"edges:\n", "edgs: 1\nedges:\n", "p.yaml:6:1 (edgs): "},
		"a wrong type":     {"interval: 50ms", "interval: [50ms]", "p.yaml:2:55 (checkpoint.interval): "},
		"a cycle":          {"edges:\n", "  - {name: x, udf: {plugin: x}}\n  - {name: y, udf: {plugin: y}}\nedges:\n  - {from: x, to: y}\n  - {from: y, to: x}\n", "[graph-cycle]"},
		"a missing plugin": {"edges:\n  - {from: numbers, to: copy}", "  - {name: x, udf: {plugin: nowhere}}\nedges:\n  - {from: numbers, to: x}\n  - {from: x, to: copy}", "[plugin-not-found]"},
		"a duplicate name": {"edges:\n", "  - {name: copy, sink: {drop: {}}}\nedges:\n", "[graph-duplicate-vertex]"},
	}
}

// TestAMistakeLeavesTheLastGoodConfig makes mistakes in the file of a pipeline that runs,
// and mends them.
func TestAMistakeLeavesTheLastGoodConfig(t *testing.T) {
	t.Parallel()
	good := numbers("p", "")
	f := openFollowed(t, map[string]string{"p.yaml": good})
	f.until("it runs", f.runs("p"))
	first := f.of("p")
	for name, m := range mistakes() {
		bad := strings.Replace(good, m[0], m[1], 1)
		if bad == good {
			t.Fatalf("%s is not made", name)
		}
		f.write("p.yaml", bad)
		f.until(name+" is refused", func() bool { p, _ := f.status("p"); return p.Config.Error != nil })
		p, _ := f.status("p")
		if text := *p.Config.Error; !strings.Contains(text, m[2]) || !strings.Contains(text, f.path("p.yaml")+":") {
			t.Errorf("%s: %s, want %s", name, text, m[2])
		}
		if p.Phase != pipeline.PhaseRunning || p.Config.Revision != 1 || f.of("p") != first {
			t.Errorf("after %s it is %s, %+v", name, p.Phase, p.Config)
		}
		if got := page(f.Host, "/metrics"); !strings.Contains(got, `wasmill_config_refused{pipeline="p"} 1`) {
			t.Errorf("after %s no metric says so", name)
		}
		f.write("p.yaml", good)
		f.until(name+" is mended", func() bool { p, _ := f.status("p"); return p.Config.Error == nil })
	}
	if n := f.count("p: change refused"); n != len(mistakes()) {
		t.Errorf("told were %d mistakes", n)
	}
	if err := f.close(); err != nil {
		t.Fatal(err)
	}
	f.complete("p")
}

// editor makes random edits of a pipeline.
type editor struct {
	*followed
	*rand.Rand
	good string // the last content that can be in force
}

// valid is a text that can be in force after any other.
func (e *editor) valid() string {
	text := strings.Replace(numbers("p", ""), "50ms", fmt.Sprintf("%dms", 20+e.IntN(60)), 1)
	switch e.IntN(4) {
	case 0:
		text += fmt.Sprintf("description: edit %d\n", e.IntN(1000))
	case 1:
		text = strings.Replace(text, "edges:\n", fmt.Sprintf("  - {name: more, sink: {drop: {}}, queue: {maxRecords: %d}}\nedges:\n  - {from: numbers, to: more}\n", 100+e.IntN(1000)), 1)
	case 2:
		text += "phase: paused\n"
	}
	return text
}

// invalid is a text that cannot.
func (e *editor) invalid() string {
	all := mistakes()
	names := []string{"bad YAML", "an unknown key", "a wrong type", "a cycle", "a missing plugin", "a duplicate name"}
	m := all[names[e.IntN(len(names))]]
	return strings.Replace(numbers("p", ""), m[0], m[1], 1) + fmt.Sprintf("# edit %d\n", e.Uint64()) // two that are the same are no change
}

// save writes the file in one of the ways in which editors do.
func (e *editor) save(text string) {
	e.Helper()
	switch name := e.path("p.yaml"); e.IntN(3) {
	case 0:
		e.write("p.yaml", text)
	case 1:
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			e.Fatal(err)
		}
	default:
		if err := os.Remove(name); err != nil {
			e.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			e.Fatal(err)
		}
	}
}

// rest waits until what the file says is in force, or refused, and makes sure that what
// runs is the last one that could be.
func (e *editor) rest(valid bool, before int) {
	e.Helper()
	want, err := parse(config.File{Name: "want", Data: []byte(e.good)}, Options{})
	if err != nil {
		e.Fatal(err)
	}
	e.until("the file is in force, or refused", func() bool {
		p, _ := e.status("p")
		return (p.Config.Error == nil) == valid && (valid || e.count("p: change refused") > before) && plan.Of(e.Pipelines()[0].Config, want).Class() == plan.None
	})
}

// TestRandomEdits: after any edits, in force is the last file that could be, and no record
// is lost or doubled. SOAK makes it a thousand.
func TestRandomEdits(t *testing.T) {
	t.Parallel()
	edits, seed := 20, rand.Uint64()
	if os.Getenv("SOAK") != "" {
		edits = 1000
	}
	t.Logf("the seed is %d", seed)
	f := openFollowed(t, map[string]string{"p.yaml": numbers("p", ""), "q.yaml": numbers("q", "")})
	e := &editor{f, rand.New(rand.NewPCG(seed, 0)), numbers("p", "")}
	f.until("it runs", func() bool { return f.runs("p")() && f.runs("q")() })
	q := f.of("q")
	for done := 0; done < edits; {
		valid, before := e.IntN(3) > 0, e.count("p: change refused")
		for range 1 + e.IntN(3) { // the last of a burst counts
			text := e.invalid()
			if valid {
				text = e.valid()
				e.good = text
			}
			e.save(text)
			done++
		}
		e.rest(valid, before)
	}
	if f.of("q") != q {
		t.Error("another pipeline was started again")
	}
	if err := f.close(); err != nil {
		t.Fatal(err)
	}
	f.complete("p")
	f.complete("q")
}
