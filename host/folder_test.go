package host

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
)

// followed is a host whose pipelines come and go with the files of a folder.
type followed struct {
	*testing.T
	*Host
	dir   string
	ended chan error

	mu   sync.Mutex // guards
	told []string
}

func (f *followed) say(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.told = append(f.told, fmt.Sprintf(format, args...))
}

// count counts what was told that begins in a way.
func (f *followed) count(prefix string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, text := range f.told {
		if strings.HasPrefix(text, prefix) {
			n++
		}
	}
	return n
}

func (f *followed) path(name string) string { return filepath.Join(f.dir, "pipelines", name) }

// write saves a file of the folder, as editors do.
func (f *followed) write(name, text string) {
	f.Helper()
	temp := filepath.Join(f.dir, "new")
	if err := os.WriteFile(temp, []byte(text), 0o600); err != nil {
		f.Fatal(err)
	}
	f.rename(temp, f.path(name))
}

func (f *followed) rename(from, to string) {
	f.Helper()
	if err := os.Rename(from, to); err != nil {
		f.Fatal(err)
	}
}

// numbers is the text of a pipeline that copies numbers exactly once, without end unless
// count says how many there are.
func numbers(name, more string) string {
	return fmt.Sprintf(`name: %[1]s
checkpoint: {storage: file://./checkpoints, interval: 50ms}
vertices:
  - {name: numbers, source: {generator: {rate: 2000, template: '{"n":{{seq}}}'%[2]s}}}
  - {name: copy, sink: {file: {path: ../out/%[1]s.ndjson}}}
edges:
  - {from: numbers, to: copy}
`, name, more)
}

func openFollowed(t *testing.T, files map[string]string) *followed {
	f := newFollowed(t, files)
	f.open()
	t.Cleanup(func() { f.close() })
	return f
}

func newFollowed(t *testing.T, files map[string]string) *followed {
	f := &followed{T: t, dir: t.TempDir(), ended: make(chan error, 1)}
	for _, folder := range []string{"out", "plugins", "pipelines"} {
		if err := os.Mkdir(filepath.Join(f.dir, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range files {
		f.write(name, text)
	}
	return f
}

// open opens the host, and runs it.
func (f *followed) open() {
	f.Helper()
	f.make()
	go func() { f.ended <- f.Host.Run(context.WithoutCancel(f.Context())) }()
}

func (f *followed) make() {
	f.Helper()
	o := Options{
		Follow: true, Admin: true, Revisions: true,
		Notice: func(text string) { f.say("%s", text) },
		Events: func(name string) stream.Events {
			return stream.Events{
				ConfigRefused:   func(err error) { f.say("%s: change refused: %v", name, err) },
				ConfigNotice:    func(text string) { f.say("%s: %s", name, text) },
				PipelineStarted: func(file string) { f.say("%s: started", name) },
				PipelineRefused: func(file string, err error) { f.say("%s: refused: %v", name, err) },
				PipelineRemoved: func(file string, kept []string) { f.say("%s: removed, kept %s", name, kept) },
				PipelineEnded:   func(err error) { f.say("%s: ended: %v", name, err) },
			}
		},
	}
	for setting, dir := range map[string]string{"data.dir": "data", "plugins.dir": "plugins", "pipelines.dir": "pipelines"} {
		o.Set = append(o.Set, setting+"="+filepath.Join(f.dir, dir))
	}
	o.Set = append(o.Set, "admin.listen=127.0.0.1:0")
	var err error
	if f.Host, err = Open(f.Context(), o); err != nil {
		f.Fatal(err)
	}
}

// close drains the host, and returns how it ended.
func (f *followed) close() error {
	f.Drain()
	err := <-f.ended
	f.ended <- err
	if err := f.Close(context.Background()); err != nil {
		f.Error(err)
	}
	return err
}

func (f *followed) until(what string, is func() bool) {
	f.Helper()
	for range 12_000 { // a minute
		if is() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Fatalf("%s: it did not come to that: %+v; told: %q", what, f.Status(), f.told)
}

// status is that of a pipeline; ok is false if it is not listed.
func (f *followed) status(name string) (PipelineStatus, bool) {
	all := f.Status().Pipelines
	if i := slices.IndexFunc(all, func(p PipelineStatus) bool { return p.Pipeline == name }); i >= 0 {
		return all[i], true
	}
	return PipelineStatus{}, false
}

func (f *followed) runs(name string) func() bool {
	return func() bool { p, ok := f.status(name); return ok && p.Phase == pipeline.PhaseRunning }
}

// of is the generation of a pipeline that runs.
func (f *followed) of(name string) *pipeline.Pipeline {
	for _, p := range f.Pipelines() {
		if p.Name == name {
			return p.Pipeline
		}
	}
	return nil
}

// complete checks that the numbers a pipeline wrote are all that there are, once each, and
// returns how many.
func (f *followed) complete(name string) int {
	f.Helper()
	data, err := os.ReadFile(filepath.Join(f.dir, "out", name+".ndjson"))
	if err != nil {
		f.Error(err)
	}
	seen := make(map[int]int)
	for line := range strings.Lines(string(data)) {
		var r struct{ N int }
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			f.Fatal(err)
		}
		seen[r.N]++
	}
	first := len(seen)
	for n, times := range seen {
		if first = min(first, n); times != 1 {
			f.Errorf("%s: number %d is there %d times", name, n, times)
		}
	}
	if first > 1 {
		f.Errorf("%s: the first number is %d", name, first)
	}
	for n := range len(seen) {
		if seen[first+n] == 0 {
			f.Errorf("%s: number %d of %d is not there", name, first+n, len(seen))
		}
	}
	return len(seen)
}

// TestPipelinesComeAndGo adds, breaks, mends, moves and removes files while another
// pipeline runs on.
func TestPipelinesComeAndGo(t *testing.T) {
	t.Parallel()
	f := openFollowed(t, map[string]string{
		"a.yaml": numbers("a", ""), "b.yaml": numbers("b", ""),
		"broken.yaml": "name: broken\nvertices: [", "twice.yml": numbers("a", ""),
	})
	f.until("the good ones run", func() bool { return f.runs("a")() && f.runs("b")() })
	first := f.of("a")
	for name, want := range map[string]string{"broken": "broken.yaml:2", "twice": "another pipeline with this name in " + f.path("a.yaml")} {
		p, ok := f.status(name)
		if !ok || p.Phase != pipeline.PhaseFailed || p.Config.Error == nil || !strings.Contains(*p.Config.Error, want) || p.Vertices == nil || p.Config.Revision != 0 {
			t.Errorf("%s is %+v", name, p)
		}
	}
	if err := f.ready(); err == nil || !strings.Contains(err.Error(), "broken.yaml") {
		t.Errorf("it is ready: %v", err)
	}
	if _, err := f.SetPhase("broken", "paused"); err == nil || !strings.Contains(err.Error(), "broken.yaml") {
		t.Errorf("what does not run is paused: %v", err)
	}

	began := time.Now()
	f.write("c.yaml", numbers("c", ""))
	f.until("a new one runs", f.runs("c"))
	f.write("broken.yaml", numbers("broken", ""))
	f.until("the mended one runs", f.runs("broken"))
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("that took %v", took)
	}

	b := f.of("b")
	f.write("b.yaml", "name: b\nvertices: {}")
	f.until("a broken one is refused", func() bool { p, _ := f.status("b"); return p.Config.Error != nil })
	f.write("b.yaml", strings.Replace(numbers("b", ""), "50ms", "60ms", 1))
	f.until("it is mended", func() bool { p, _ := f.status("b"); return p.Config.Error == nil && p.Config.Revision == 2 })
	if f.of("b") != b {
		t.Error("it was started again")
	}

	c := f.of("c")
	f.rename(f.path("c.yaml"), f.path("d.yml"))
	f.until("it is in another file", func() bool { p, _ := f.status("c"); return p.Config.File == f.path("d.yml") })
	if n := f.count("d: refused"); n != 0 {
		t.Error("a moved file was refused before")
	}
	f.rename(f.path("twice.yml"), f.path("other.yaml"))
	f.until("the other twin is refused too", func() bool { _, ok := f.status("other"); return ok })

	if err := os.Remove(f.path("b.yaml")); err != nil {
		t.Fatal(err)
	}
	f.until("a removed one is gone", func() bool { _, ok := f.status("b"); return !ok })
	kept := fmt.Sprintf("b: removed, kept [checkpoints in %s the output of copy in %s revisions in %s]", f.path("checkpoints"), filepath.Join(f.dir, "out", "b.ndjson"), filepath.Join(f.dir, "data", "revisions", "b"))
	if n := f.count(kept); n != 1 || f.count("b: ended: <nil>") != 1 {
		t.Errorf("told were %q", f.told)
	}
	if n := f.complete("b"); n == 0 {
		t.Error("it has written nothing")
	}
	if n := f.count("twice: refused"); n != 1 {
		t.Errorf("one file was refused %d times", n)
	}
	if f.of("a") != first || f.of("c") != c {
		t.Error("others were started again")
	}
	f.write("b.yaml", strings.Replace(numbers("b", ""), "50ms", "60ms", 1))
	f.until("it comes back", f.runs("b"))
	if p, _ := f.status("b"); p.Config.Revision != 2 || p.Config.Origin != "file" {
		t.Errorf("with the file that it had it is %+v", p.Config)
	}
	if err := f.close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b", "c", "broken"} {
		if f.complete(name) == 0 {
			t.Errorf("%s has written nothing", name)
		}
	}
}

// TestADrainIsNoWaiting has the only pipeline end as the process does.
func TestADrainIsNoWaiting(t *testing.T) {
	t.Parallel()
	f := openFollowed(t, map[string]string{"a.yaml": numbers("a", "")})
	f.until("it runs", f.runs("a"))
	if err := f.close(); err != nil {
		t.Error(err)
	}
	if n := f.count("no pipeline runs"); n != 0 || f.count("a: ended: ") != 1 {
		t.Errorf("told %d times that a pipeline is waited for: %q", n, f.told)
	}
}

// TestAFolderIsWaitedFor: nothing runs, then one that ends, then one that fails, and one
// that goes on where it was when its file is another one.
func TestAFolderIsWaitedFor(t *testing.T) {
	t.Parallel()
	f := openFollowed(t, nil)
	waiting := "no pipeline runs: waiting"
	f.until("it waits", func() bool { return f.count(waiting) == 1 })
	f.write("a.yaml", numbers("a", ", count: 10"))
	f.until("it has ended", func() bool { return f.count("a: ended: <nil>") == 1 && f.count(waiting) == 2 })
	if err := os.WriteFile(filepath.Join(f.dir, "none"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f.write("b.yaml", strings.Replace(numbers("b", ""), "../out/", "../none/", 1))
	f.until("one fails", func() bool {
		p, _ := f.status("b")
		return p.Phase == pipeline.PhaseFailed && f.count("b: ended: ") == 1
	})
	f.write("b.yaml", numbers("b", ""))
	f.until("it is mended", f.runs("b"))
	f.write("a.yaml", numbers("a", ", count: 25"))
	f.until("there is more", func() bool { return f.count("a: ended: <nil>") == 2 })
	if n := f.complete("a"); n != 25 {
		t.Errorf("it has written %d", n)
	}
	if p, _ := f.status("a"); p.Config.Revision != 2 {
		t.Errorf("its config is %+v", p.Config)
	}
	select {
	case err := <-f.ended:
		t.Fatalf("it has ended: %v", err)
	default:
	}
}

// TestNoFolderIsRefused: a typo in pipelines.dir is told, not waited for.
func TestNoFolderIsRefused(t *testing.T) {
	_, err := Open(t.Context(), Options{Follow: true, Set: []string{"pipelines.dir=" + filepath.Join(t.TempDir(), "none")}})
	if stream.CodeOf(err) != stream.ConfigMissing {
		t.Errorf("it says %v", err)
	}
}

// TestAFolderThatGoesTakesNobodyAlong: a share that is gone for a while.
func TestAFolderThatGoesTakesNobodyAlong(t *testing.T) {
	t.Parallel()
	f := openFollowed(t, map[string]string{"a.yaml": numbers("a", "")})
	f.until("it runs", f.runs("a"))
	f.rename(filepath.Join(f.dir, "pipelines"), filepath.Join(f.dir, "away"))
	f.Host.reloads.Lock()
	f.survey(f.Context(), nil, change)
	due := f.folder.due
	f.Host.reloads.Unlock()
	if !due.IsZero() || f.count("a: removed") != 0 || f.count("the pipelines folder cannot be read") != 1 {
		t.Errorf("it is to end at %v", due)
	}
	f.rename(filepath.Join(f.dir, "away"), filepath.Join(f.dir, "pipelines"))
}
