package host

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/control/plan"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm"
)

// dropped is a swapped pipeline whose process follows its files, and what it was told.
type dropped struct {
	*swapped

	mu      sync.Mutex // guards the rest
	applied []stream.ConfigChange
	refused []error
	notices []string
	loading func() // called as a plugin is about to be loaded
}

// openDropped runs a pipeline of two vertices with the plugin f, one after the other. That
// they are not metered is how a test hears that they are loaded.
func openDropped(t *testing.T, plugin []byte, follow bool, set ...string) *dropped {
	return followIn(t, t.TempDir(), plugin, follow, set...)
}

// followIn is openDropped in a folder of the caller's.
func followIn(t *testing.T, dir string, plugin []byte, follow bool, set ...string) *dropped {
	s := &swapped{TB: t, dir: dir, ended: make(chan error, 1)}
	f := &dropped{swapped: s}
	s.drop(plugin)
	const text = `name: p
vertices:
  - {name: numbers, source: {generator: {rate: 20000, template: '{{seq}}'}}}
  - {name: f, udf: {plugin: f}, order: input, concurrency: 2, sandbox: {metering: "off"}}
  - {name: g, udf: {plugin: f}, order: input, concurrency: 2, sandbox: {metering: "off"}}
  - {name: out, sink: {file: {path: out.ndjson}}}
edges:
  - {from: numbers, to: f}
  - {from: f, to: g}
  - {from: g, to: out}
`
	if err := os.WriteFile(filepath.Join(s.dir, "p.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	events := func(string) stream.Events {
		return stream.Events{
			ConfigApplied: func(c stream.ConfigChange) { f.mu.Lock(); defer f.mu.Unlock(); f.applied = append(f.applied, c) },
			ConfigRefused: func(err error) { f.mu.Lock(); defer f.mu.Unlock(); f.refused = append(f.refused, err) },
			ConfigNotice:  func(text string) { f.mu.Lock(); defer f.mu.Unlock(); f.notices = append(f.notices, text) },
			Unmetered: func(stream.VertexID, string) {
				f.mu.Lock()
				loading := f.loading
				f.mu.Unlock()
				if loading != nil {
					loading()
				}
			},
		}
	}
	var err error
	s.Host, err = Open(context.Background(), Options{
		Files: []string{filepath.Join(s.dir, "p.yaml")}, Events: events, Follow: follow,
		Set: append([]string{"data.dir=" + t.TempDir(), "cache.dir=" + t.TempDir(), "plugins.dir=" + s.dir}, set...),
	})
	if err != nil {
		t.Fatal(err)
	}
	go func() { s.ended <- s.Host.Run(context.Background()) }()
	f.until("it runs", func() bool { return s.Pipelines()[0].Phase() == pipeline.PhaseRunning })
	return f
}

// onLoad sets what happens as a plugin is about to be loaded.
func (f *dropped) onLoad(do func()) { f.mu.Lock(); defer f.mu.Unlock(); f.loading = do }

func (f *dropped) config() ConfigStatus { return f.Status().Pipelines[0].Config }

// until polls for something to become true.
func (f *dropped) until(what string, is func() bool) {
	f.Helper()
	for range 12_000 { // a minute
		if is() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Fatalf("%s: it did not come to that: %+v; applied: %+v, refused: %v, notices: %q", what, f.config(), f.applied, f.refused, f.notices)
}

// serves waits for a revision, and checks that it is in force with this plugin in all
// vertices.
func (f *dropped) serves(what string, revision uint64, plugin []byte) {
	f.Helper()
	f.until(what, func() bool { c := f.config(); return c.Revision >= revision && c.Error == nil })
	f.runs(what, revision, plugin)
}

// runs checks what is in force now.
func (f *dropped) runs(what string, revision uint64, plugin []byte) {
	f.Helper()
	sum := sha256.Sum256(plugin)
	hash := hex.EncodeToString(sum[:])
	p := f.Pipelines()[0]
	if n := f.config().Revision; n != revision || p.plugins["f"] != hash {
		f.Errorf("%s: revision %d with %.12s, not %d with %.12s", what, n, p.plugins["f"], revision, hash)
	}
	for _, v := range p.graph.Vertices[1:3] {
		if got := v.Transform.(*wasm.Versions).Plugin().Hash; got != hash {
			f.Errorf("%s: vertex %s has %.12s, not %.12s", what, v.Name, got, hash)
		}
	}
}

// told returns copies of what the process said.
func (f *dropped) told() (applied []stream.ConfigChange, refused []error, notices []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append(applied, f.applied...), append(refused, f.refused...), append(notices, f.notices...)
}

// pieces writes over the file in place, as cp does, slowly.
func (f *dropped) pieces(plugin []byte) {
	f.Helper()
	to, err := os.Create(filepath.Join(f.dir, "f.wasm"))
	if err != nil {
		f.Fatal(err)
	}
	const piece = 64 << 10
	for at := 0; at < len(plugin); at += piece {
		if _, err := to.Write(plugin[at:min(at+piece, len(plugin))]); err != nil {
			f.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond) // the copy takes its time
	}
	if err := to.Close(); err != nil {
		f.Fatal(err)
	}
}

// padded is a large plugin that does the same, in versions.
func padded(plugin []byte, n int) []byte {
	large := append(bytes.Clone(plugin), 0, 0x84, 0x80, 0x20, 3, 'p', 'a', 'd') // a custom section of 512 KiB and 4 bytes
	return versioned(append(large, make([]byte, 512<<10)...), n)
}

// TestHoweverAPluginIsWritten: the version before serves until there is a whole new one,
// which is swapped in once, and no record is lost, doubled or out of order.
func TestHoweverAPluginIsWritten(t *testing.T) {
	plugin := guest(t, "identity")
	version := func(n int) []byte { return padded(plugin, n) }
	f := openDropped(t, version(1), true)
	running := f.Pipelines()[0].Pipeline
	name := filepath.Join(f.dir, "f.wasm")

	f.pieces(version(2))
	f.serves("a copy in pieces", 2, version(2))

	f.drop(version(3))
	f.serves("a file that is renamed over the one before", 3, version(3))

	if err := os.WriteFile(name, version(4)[:300<<10], 0o600); err != nil {
		t.Fatal(err)
	}
	f.until("a truncated one is refused", func() bool { return f.config().Error != nil })
	f.runs("a truncated one", 3, version(3))
	if why := *f.config().Error; !strings.Contains(why, "f.wasm") || !strings.Contains(why, string(stream.PluginInvalid)) {
		t.Errorf("a truncated one: %s", why)
	}
	f.drop(version(4))
	f.serves("the whole of it", 4, version(4))

	f.drop(version(4))                                            // the same again,
	if err := os.WriteFile(name, version(4), 0o600); err != nil { // in each way
		t.Fatal(err)
	}
	f.drop(version(5))
	f.serves("what comes after the same again", 5, version(5))

	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	f.until("that it is gone is told", func() bool { _, _, notices := f.told(); return len(notices) > 0 })
	f.runs("without the file", 5, version(5))
	if c := f.config(); c.Error != nil {
		t.Errorf("that it is gone is an error: %s", *c.Error)
	}
	for range 2 { // looks, at which it is not told again
		if _, err := f.Reload(context.Background()); err != nil {
			t.Error(err)
		}
	}
	f.drop(version(5))
	if _, err := f.Reload(context.Background()); err != nil {
		t.Error(err)
	}
	f.runs("with the same file again", 5, version(5))
	f.drop(version(6))
	f.serves("what comes after that", 6, version(6))

	applied, refused, notices := f.told()
	if len(applied) != 5 || len(refused) == 0 {
		t.Errorf("%d changes were told of, and %v refused", len(applied), refused)
	}
	for _, err := range refused { // also a copy whose writer was held up
		if stream.CodeOf(err) != stream.PluginInvalid {
			t.Error(err)
		}
	}
	for _, c := range applied {
		if c.Class != plan.Vertex.String() || len(c.Steps) == 0 || !strings.HasPrefix(c.Steps[0], "plugin f: ") {
			t.Errorf("told was %+v", c)
		}
	}
	notices = slices.DeleteFunc(notices, func(n string) bool { return strings.Contains(n, "cannot be kept") }) // replaced before it was copied
	if len(notices) != 1 || !strings.HasPrefix(notices[0], "plugin f runs on as it was loaded, and would not start again: "+name+": there is no such plugin [plugin-not-found]") {
		t.Errorf("the notices are %q", notices)
	}
	if p := f.Pipelines()[0]; p.Pipeline != running || p.Phase() != pipeline.PhaseRunning {
		t.Error("the graph did not run on")
	}
	f.end()
	if n := f.numbers(true); n < 1000 {
		t.Errorf("only %d records moved", n)
	}
}

// TestAPluginThatIsReplacedWhileItIsLoaded: no vertex runs another version than the one
// that is told of, and the last one is in force in the end.
func TestAPluginThatIsReplacedWhileItIsLoaded(t *testing.T) {
	plugin := guest(t, "identity")
	for _, at := range []int{1, 2} { // before which vertex is loaded
		t.Run(fmt.Sprintf("before vertex %d", at), func(t *testing.T) {
			f := openDropped(t, versioned(plugin, 1), false)
			loads := 0
			f.onLoad(func() {
				if loads++; loads == at {
					f.drop(versioned(plugin, 3))
				}
			})
			f.drop(versioned(plugin, 2))
			f.reload("vertex")
			f.runs("the last", 2, versioned(plugin, 3))
			if loads <= at {
				t.Errorf("%d loads", loads)
			}
			f.end()
			f.numbers(true)
		})
	}
	t.Run("each time", func(t *testing.T) {
		f := openDropped(t, versioned(plugin, 1), false)
		loads := 1
		f.onLoad(func() { loads++; f.drop(versioned(plugin, loads)) })
		f.drop(versioned(plugin, 0))
		if _, err := f.Reload(context.Background()); stream.CodeOf(err) != stream.PluginChanged {
			t.Errorf("got %v", err)
		}
		f.runs("what does not rest", 1, versioned(plugin, 1))
		f.onLoad(nil)
		f.reload("vertex")
		f.runs("what rests", 2, versioned(plugin, loads))
		f.end()
		f.numbers(true)
	})
}

// TestAVertexAloneDoesNotGetAnotherVersion: its params change as the file does, which the
// other vertices with the same plugin have to see, too.
func TestAVertexAloneDoesNotGetAnotherVersion(t *testing.T) {
	plugin := guest(t, "identity")
	f := openDropped(t, versioned(plugin, 1), false)
	loads := 0
	f.onLoad(func() {
		if loads++; loads == 1 {
			f.drop(versioned(plugin, 2))
		}
	})
	name := filepath.Join(f.dir, "p.yaml")
	text, err := os.ReadFile(name)
	if err == nil {
		err = os.WriteFile(name, bytes.Replace(text, []byte("{plugin: f}, order"), []byte("{plugin: f, limits: {callDeadline: 9s}}, order"), 1), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	f.reload("vertex")
	f.runs("both", 2, versioned(plugin, 2))
	f.end()
	f.numbers(true)
}

// TestAPluginFileThatIsNotLetInAnyMoreIsToldOf, while what was loaded of it runs on.
func TestAPluginFileThatIsNotLetInAnyMoreIsToldOf(t *testing.T) {
	plugin := guest(t, "identity")
	f := openDropped(t, plugin, false)
	name := filepath.Join(f.dir, "f.wasm")
	if err := os.Chmod(name, 0o606); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Reload(context.Background()); stream.CodeOf(err) != stream.PluginName {
		t.Errorf("got %v", err)
	}
	f.runs("a file that everybody can write", 1, plugin)
	if err := os.Chmod(name, 0o600); err != nil {
		t.Fatal(err)
	}
	f.reload("")
	f.end()
	f.numbers(true)
}

// TestAPluginThatIsReplacedAtTheStart: vertices do not begin with different versions.
func TestAPluginThatIsReplacedAtTheStart(t *testing.T) {
	plugin := guest(t, "identity")
	s := &swapped{TB: t, dir: t.TempDir()}
	s.drop(plugin)
	const text = `name: p
vertices:
  - {name: numbers, source: {generator: {count: 1}}}
  - {name: f, udf: {plugin: f}}
  - {name: g, udf: {plugin: f}, sandbox: {metering: "off"}}
  - {name: out, sink: drop}
edges:
  - {from: numbers, to: f}
  - {from: f, to: g}
  - {from: g, to: out}
`
	if err := os.WriteFile(filepath.Join(s.dir, "p.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(context.Background(), Options{
		Files: []string{filepath.Join(s.dir, "p.yaml")},
		Set:   []string{"data.dir=" + t.TempDir(), "cache.dir=" + t.TempDir(), "plugins.dir=" + s.dir},
		Events: func(string) stream.Events {
			return stream.Events{Unmetered: func(stream.VertexID, string) { s.drop(versioned(plugin, 2)) }}
		},
	})
	if stream.CodeOf(err) != stream.PluginChanged || !strings.Contains(err.Error(), "p.yaml:5:") {
		t.Errorf("got %v", err)
	}
}
