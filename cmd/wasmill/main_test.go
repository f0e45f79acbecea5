package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/stream"
)

// TestMain makes the test binary be wasmill when a test runs it as such: a copy with the name
// wasmill-v2.0.0 is of that version. As a worker, one whose name ends with -dies crashes, and with -hangs does
// nothing.
func TestMain(m *testing.M) {
	if os.Getenv("TEST_AS_WASMILL") != "" {
		if _, named, ok := strings.Cut(filepath.Base(os.Args[0]), "wasmill-"); ok {
			version = named
		}
		if strings.HasSuffix(version, "-dies") && len(os.Args) > 1 && os.Args[1] == workCommand {
			panic("this version crashes")
		}
		if strings.HasSuffix(version, "-hangs") && len(os.Args) > 1 && os.Args[1] == workCommand {
			time.Sleep(time.Hour) // or until a signal ends it
		}
		main()
	}
	os.Setenv("TEST_AS_WASMILL", "1") // for children
	os.Exit(m.Run())
}

// workshop is a folder with plugins, some input and pipelines.
type workshop struct {
	*testing.T
	dir string
}

func newWorkshop(t *testing.T) *workshop {
	t.Helper()
	w := &workshop{t, t.TempDir()}
	t.Chdir(w.dir)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(w.dir, "cache"))
	t.Setenv("WASMILL_MEMORY_BUDGET", "64GiB") // whatever machine this is
	w.write("plugins/identity.wasm", string(abitest.Identity()))
	w.write("in.txt", "one\ntwo\nthree\n")
	return w
}

func (w *workshop) write(name, content string) {
	w.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		w.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		w.Fatal(err)
	}
}

func (w *workshop) read(name string) string {
	w.Helper()
	data, err := os.ReadFile(filepath.Join(w.dir, name))
	if err != nil {
		w.Fatal(err)
	}
	return string(data)
}

// wasmill runs a command line in this process.
func (w *workshop) wasmill(args ...string) (exit int, out, err string) {
	var o, e bytes.Buffer
	exit = run(context.Background(), args, stdio{strings.NewReader(""), &o, &e})
	return exit, o.String(), e.String()
}

const plain = `name: p
vertices:
  - name: in
    source: {file: {path: in.txt}}
  - name: f
    udf: {plugin: identity}
    order: input
  - name: out
    sink: {file: {path: out.txt}}
edges:
  - {from: in, to: f}
  - {from: f, to: out}
`

func TestRunWritesWhatThePipelineMakes(t *testing.T) {
	w := newWorkshop(t)
	w.write("p.yaml", plain)
	if exit, _, stderr := w.wasmill("run", "p.yaml"); exit != 0 {
		t.Fatalf("exit %d: %s", exit, stderr)
	}
	if got := w.read("out.txt"); got != "one\ntwo\nthree\n" {
		t.Errorf("got %q", got)
	}
}

func TestRunWithoutAFileRunsThePipelinesFolder(t *testing.T) {
	w := newWorkshop(t)
	w.write("pipelines/a.yaml", strings.ReplaceAll(plain, "in.txt", "../in.txt"))
	w.write("pipelines/b.yml", strings.NewReplacer("name: p", "name: q", "in.txt", "../in.txt", "out.txt", "b.txt").Replace(plain))
	exit, _, stderr := w.wasmill("run", "--json", "--follow=false")
	if exit != 0 {
		t.Fatalf("exit %d: %s", exit, stderr)
	}
	if w.read("pipelines/out.txt") != w.read("pipelines/b.txt") {
		t.Error("the pipelines wrote different things")
	}
	var summary struct {
		OK        bool
		Pipelines []struct{ Pipeline string }
	}
	if err := json.Unmarshal([]byte(stderr), &summary); err != nil || !summary.OK || len(summary.Pipelines) != 2 {
		t.Errorf("summary %s: %v", stderr, err)
	}
}

// TestBadInputIsRefused goes through what can be wrong before and while a
// pipeline runs: each has its own code, a place and a fix, and leaves nothing
// half written.
func TestBadInputIsRefused(t *testing.T) {
	guest := func(process ...[]byte) string {
		a := abitest.NewGuest()
		a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil, process...)
		return string(a.Bytes())
	}
	importing := func(module, name string) string {
		a := abitest.NewGuest(func(a *abitest.Asm) { a.Import(module, name, nil, nil) })
		a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil, abitest.Const(8))
		return string(a.Bytes())
	}
	replace := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(plain) }
	tests := []struct {
		name     string
		pipeline string
		plugin   string // content of plugins/x.wasm
		code     stream.Code
		exit     int
		place    string
	}{
		{"no such plugin", replace("plugin: identity", "plugin: identiti"), "", stream.PluginNotFound, 2, "p.yaml:6:"},
		{"a plugin by path", replace("plugin: identity", "plugin: ../x"), "", stream.PluginName, 2, "p.yaml:6:"},
		{"a plugin that is not wasm", replace("identity", "x"), "<html>", stream.PluginNotWasm, 2, "p.yaml:6:"},
		{"a component", replace("identity", "x"), "\x00asm\x0d\x00\x01\x00", stream.PluginComponent, 2, "p.yaml:6:"},
		{"a module without the marker", replace("identity", "x"), "\x00asm\x01\x00\x00\x00", stream.PluginABI, 2, "p.yaml:6:"},
		{"an unknown import", replace("identity", "x"), importing("env", "x"), stream.PluginImport, 2, "p.yaml:6:"},
		{"params for a plugin that takes none", replace("plugin: identity", "plugin: identity, params: {a: 1}"), "", stream.PluginParams, 2, "p.yaml:6:"},
		{"a tag the plugin does not emit", replace("to: out}", "to: out, when: {tags: [sen]}}"), "", stream.ConfigValue, 2, "p.yaml:12:"},
		{"a sink that writes what a source reads", replace("out.txt", "./in.txt"), "", stream.ConfigValue, 2, "p.yaml:9:"},
		{"a sink that writes what a glob finds", replace("path: in.txt", "path: '*.txt'"), "", stream.ConfigValue, 2, "p.yaml:9:"},
		{"two sinks on one file", replace("edges:", "  - {name: out2, sink: {file: {path: out.txt}}}\nedges:\n  - {from: in, to: out2}"), "", stream.ConfigValue, 2, "p.yaml:10:"},
		{"more memory than there is", replace("order: input", "concurrency: 4096"), "", stream.ConfigValue, 2, "p.yaml:7:"},
		{"a cycle", replace("edges:", "edges:\n  - {from: f, to: f}"), "", stream.GraphCycle, 2, "p.yaml:11:"},
		{"a dangling edge", replace("to: out}", "to: outt}"), "", stream.GraphDangling, 2, "p.yaml:12:"},
		{"a name used twice", replace("name: f", "name: out"), "", stream.GraphDuplicate, 2, "p.yaml:"},
		{"an unknown key", replace("order:", "ordr:"), "", stream.ConfigUnknownKey, 2, "p.yaml:7:"},
		{"a wrong type", replace("order: input", "concurrency: many"), "", stream.ConfigType, 2, "p.yaml:7:"},
		{"bad YAML", "name: p\n\tvertices: []", "", stream.ConfigSyntax, 2, "p.yaml:2:"},
		{"a missing file", replace("in.txt", "inn.txt"), "", stream.InputMissing, 2, "in, inn.txt"},
		{"a directory as file", replace("in.txt", "plugins"), "", stream.InputDirectory, 2, "plugins"},
		{"a line over the limit", replace("path: in.txt", "path: in.txt, maxRecordBytes: 4"), "", stream.RecordSize, 2, "in.txt:3"},
		{"an output folder that is not there", replace("out.txt", "nowhere/out.txt"), "", stream.OutputFile, 3, "nowhere/out.txt"},
		{"a trap", replace("identity", "x"), guest(abitest.Op(abitest.Unreachable)), stream.GuestTrap, 2, " of source in (in.txt:"},
		{"a guest that lies", replace("identity", "x"), guest(abitest.Const(-8)), stream.GuestOutput, 2, " of source in (in.txt:"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorkshop(t)
			w.write("p.yaml", tt.pipeline)
			if tt.plugin != "" {
				w.write("plugins/x.wasm", tt.plugin)
			}
			exit, _, text := w.wasmill("run", "--quiet", "p.yaml")
			if exit != tt.exit || !strings.Contains(text, "["+string(tt.code)+"]") || !strings.Contains(text, tt.place) || !strings.Contains(text, "fix: ") {
				t.Errorf("exit %d: %s\nwant exit %d, [%s] at %s and a fix", exit, text, tt.exit, tt.code, tt.place)
			}
			if _, err := os.Stat(filepath.Join(w.dir, "out.txt")); err == nil && tt.code != stream.GuestTrap && tt.code != stream.GuestOutput && tt.code != stream.RecordSize {
				t.Error("an output file was left")
			}
			exit, records, out := w.wasmill("run", "--json", "--quiet", "p.yaml")
			if out = out[strings.Index(out, "{\n"):]; records != "" { // behind log lines
				t.Errorf("standard output has %s", records)
			}
			var report struct {
				OK     bool
				Exit   int
				Errors []struct{ Code, Where, Why, Fix string }
			}
			if err := json.Unmarshal([]byte(out), &report); err != nil || report.OK || report.Exit != exit || !strings.Contains(out, `"code": "`+string(tt.code)+`"`) {
				t.Errorf("as JSON: %s (%v)", out, err)
			}
		})
	}
}

func TestAnUnreadableInputIsRefused(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root reads everything; the connector's own test covers the message")
	}
	w := newWorkshop(t)
	w.write("p.yaml", plain)
	if err := os.Chmod("in.txt", 0); err != nil {
		t.Fatal(err)
	}
	if exit, _, text := w.wasmill("run", "p.yaml"); exit != 3 || !strings.Contains(text, string(stream.InputUnreadable)) {
		t.Errorf("exit %d: %s", exit, text)
	}
}

func TestRecordsThatNoEdgeTakesAreReported(t *testing.T) {
	w := newWorkshop(t)
	a := abitest.Canned(0x3fff0, abitest.Answer(abi.Out{Tag: abi.Ref{Addr: 0x1000, Len: 4}})) // one record for each call, tagged with zeros
	w.write("plugins/tags.wasm", string(a))
	w.write("p.yaml", strings.ReplaceAll(plain, "plugin: identity", "plugin: tags"))
	exit, _, text := w.wasmill("run", "--quiet", "p.yaml", "--set", "vertices.f.batch.maxRecords=1")
	if exit != 0 || !strings.Contains(text, `"records":3`) || !strings.Contains(text, "no edge asks for") {
		t.Errorf("exit %d: %s", exit, text)
	}
}

func TestAMisspeltPluginIsGuessed(t *testing.T) {
	w := newWorkshop(t)
	w.write("p.yaml", strings.ReplaceAll(plain, "plugin: identity", "plugin: identiti"))
	if exit, _, text := w.wasmill("validate", "p.yaml"); exit != 2 || !strings.Contains(text, "did you mean identity?") {
		t.Errorf("exit %d: %s", exit, text)
	}
}

func TestAllErrorsAreReportedAtOnce(t *testing.T) {
	w := newWorkshop(t)
	w.write("p.yaml", strings.NewReplacer("order: input", "ordr: input", "path: out.txt", "pth: out.txt", "to: out", "to: nowhere").Replace(plain))
	exit, _, text := w.wasmill("validate", "p.yaml")
	if exit != 2 || strings.Count(text, "error: ") < 3 || !strings.Contains(text, "errors\n") {
		t.Errorf("exit %d: %s", exit, text)
	}
}

func TestWrongCommandLinesSayWhatIsWrong(t *testing.T) {
	w := newWorkshop(t)
	for _, args := range [][]string{{"runn"}, {"graph"}, {"graph", "a", "b"}, {"run", "--frob"}, {"plugin", "frob"}, {"graph", "p.yaml", "--format", "png"}, {"bench"}} {
		w.write("p.yaml", plain)
		if exit, _, text := w.wasmill(args...); exit != 2 || !strings.Contains(text, "[usage]") {
			t.Errorf("%v: exit %d: %s", args, exit, text)
		}
	}
}

func TestWhatWasMeantIsSaid(t *testing.T) {
	w := newWorkshop(t)
	w.write("p.yaml", plain)
	for line, want := range map[string]string{
		"valdate p.yaml":                  "did you mean validate?",
		"quickstrat":                      "did you mean quickstart?",
		"p.yaml":                          "fix: it is a file: wasmill run p.yaml runs a pipeline",
		"create a p.yaml":                 "fix: wasmill create a -f p.yaml",
		"call identity hello":             `fix: wasmill call identity --input "hello"`,
		"call identity hello world":       "give records with --input",
		"stop a":                          "did you mean shutdown?",
		"compile shout":                   "did you mean build?",
		"run --set pipelines.dir=nothing": "wasmill init",
	} {
		if exit, _, text := w.wasmill(strings.Fields(line)...); exit != 2 || !strings.Contains(text, want) {
			t.Errorf("%s: exit %d, without %q: %s", line, exit, want, text)
		}
	}
}

func TestPluginCommands(t *testing.T) {
	w := newWorkshop(t)
	w.write("plugins/broken.wasm", "<html>")
	exit, out, _ := w.wasmill("plugin", "list")
	if exit != 0 || !strings.Contains(out, "abitest") && !strings.Contains(out, "identity") || !strings.Contains(out, "HTML page") {
		t.Errorf("list: exit %d: %s", exit, out)
	}
	exit, out, _ = w.wasmill("plugin", "inspect", "identity", "--json")
	var i inspection
	if err := json.Unmarshal([]byte(out), &i); err != nil || exit != 0 || i.Description.Name != "abitest" || i.Memory.Min != 4<<20 || i.Metered.Loops != 1 || i.Metered.Bytes <= i.Bytes {
		t.Errorf("inspect: exit %d, %v: %s", exit, err, out)
	}
	if exit, out, _ = w.wasmill("plugin", "inspect", "plugins/identity.wasm"); exit != 0 || !strings.Contains(out, "wasmill_process") {
		t.Errorf("inspect: exit %d: %s", exit, out)
	}
	if exit, out, _ = w.wasmill("plugin", "check", "identity"); exit != 0 || strings.Contains(out, "FAILED") {
		t.Errorf("check: exit %d: %s", exit, out)
	}
	a := abitest.NewGuest()
	a.Func(abi.ExportProcess, []byte{abitest.I32}, []byte{abitest.I32}, nil, abitest.Const(4))
	w.write("plugins/odd.wasm", string(a.Bytes()))
	if exit, out, _ = w.wasmill("plugin", "check", "odd"); exit != 2 || !strings.Contains(out, "FAILED processes one record\n       output header at 0x4") {
		t.Errorf("check: exit %d: %s", exit, out)
	}
}

func TestGraphDrawsEveryFormat(t *testing.T) {
	w := newWorkshop(t)
	w.write("p.yaml", strings.ReplaceAll(plain, "to: out}", "to: out, when: {tags: [seen]}}"))
	for format, want := range map[string]string{"mermaid": `v1 -->|"seen"| v2`, "dot": `"f" -> "out" [label="seen"];`, "svg": "<svg xmlns"} {
		if exit, out, text := w.wasmill("graph", "p.yaml", "-f", format); exit != 0 || !strings.Contains(out, want) {
			t.Errorf("%s: exit %d: %s%s", format, exit, out, text)
		}
	}
	w.write("p.yaml", strings.NewReplacer("udf: {plugin: identity}", "aggregate: count", "order: input", "window: {fixed: 1m}\n    concurrency: 3").Replace(plain))
	for format, want := range map[string]string{"mermaid": `v1[["f<br/>count × 3"]]`, "svg": `<rect class="aggregate"`} {
		if exit, out, text := w.wasmill("graph", "p.yaml", "-f", format); exit != 0 || !strings.Contains(out, want) {
			t.Errorf("%s of an aggregate: exit %d: %s%s", format, exit, out, text)
		}
	}
}

func TestBenchCountsAtTheSink(t *testing.T) {
	w := newWorkshop(t)
	w.write("p.yaml", strings.NewReplacer("{file: {path: in.txt}}", "{generator: {size: 64, rate: 3}}", "{file: {path: out.txt}}", "drop").Replace(plain))
	for _, args := range [][]string{{}, {"--native"}, {"--rate", "20000"}} {
		exit, out, text := w.wasmill(append([]string{"bench", "p.yaml", "--records", "10000", "--json"}, args...)...)
		var r benchResult
		if err := json.Unmarshal([]byte(out), &r); err != nil || exit != 0 || r.Records != 10_000 || r.RecordsPerSecond <= 0 || r.LatencyUS.P99 <= 0 {
			t.Errorf("%v: exit %d, %v: %s%s", args, exit, err, out, text)
		}
	}
}

// process starts wasmill as a process of its own.
func (w *workshop) process(args ...string) (*exec.Cmd, *bytes.Buffer) {
	w.Helper()
	exe, err := os.Executable()
	if err != nil {
		w.Fatal(err)
	}
	c := exec.CommandContext(w.Context(), exe, args...)
	c.Dir = w.dir
	var text bytes.Buffer
	c.Stderr = &text
	if err := c.Start(); err != nil {
		w.Fatal(err)
	}
	return c, &text
}

// soon polls until something is so; false = it is not, after a minute, which nothing takes
// but what hangs.
func soon(so func() bool) bool {
	for end := time.Now().Add(time.Minute); !so(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

// waitFor polls until a file has a size.
func (w *workshop) waitFor(name string) {
	w.Helper()
	if !soon(func() bool { info, err := os.Stat(filepath.Join(w.dir, name)); return err == nil && info.Size() > 0 }) {
		w.Fatalf("%s did not appear", name)
	}
}

func TestASignalDrainsAndASecondStopsAtOnce(t *testing.T) {
	endless := strings.NewReplacer("{file: {path: in.txt}}", "{generator: {rate: 1000}}").Replace(plain)
	t.Run("SIGTERM ends the source and exits 0", func(t *testing.T) {
		w := newWorkshop(t)
		w.write("p.yaml", endless)
		c, text := w.process("run", "p.yaml")
		w.waitFor("out.txt")
		if err := c.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := c.Wait(); err != nil {
			t.Errorf("%v: %s", err, text)
		}
		out := w.read("out.txt")
		lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
		for i, l := range lines {
			if !strings.Contains(l, itoa(i)) || len(l) != 128 {
				t.Fatalf("line %d is %q", i, l)
			}
		}
		if !strings.HasSuffix(out, "\n") {
			t.Error("the last line is cut")
		}
	})
	for sig, exit := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143} {
		t.Run("a second "+sig.String()+" exits at once", func(t *testing.T) {
			w := newWorkshop(t)
			// A sink that blocks for ever: a named pipe that nobody reads on.
			if err := syscall.Mkfifo(filepath.Join(w.dir, "pipe"), 0o600); err != nil {
				t.Fatal(err)
			}
			reader, err := os.OpenFile(filepath.Join(w.dir, "pipe"), os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer reader.Close()
			w.write("p.yaml", strings.NewReplacer("rate: 1000", "size: 4096", "path: out.txt", "path: pipe").Replace(endless))
			c, text := w.process("run", "p.yaml")
			if err := reader.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			if _, err := reader.Read(make([]byte, 1)); err != nil { // until something came through
				t.Fatalf("%v: %s", err, text)
			}
			if err := c.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			done := make(chan error, 1)
			go func() { done <- c.Wait() }()
			for {
				select {
				case <-done:
					if got := c.ProcessState.ExitCode(); got != exit {
						t.Errorf("exit %d, want %d: %s", got, exit, text)
					}
					return
				case <-time.After(50 * time.Millisecond): // until both have arrived as two
					_ = c.Process.Signal(sig)
				}
			}
		})
	}
}

func itoa(n int) string {
	b, err := json.Marshal(n)
	if err != nil {
		panic(err)
	}
	return string(b)
}
