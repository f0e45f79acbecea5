package wasm

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/stream"
)

// needGuests skips a test that lacks a guest, unless all are asked for.
func needGuests(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("REQUIRE_GUESTS") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// builtPlugin returns the path of a plugin that make plugins builds.
func builtPlugin(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join("..", "..", "plugins", name+Ext)
	if _, err := os.Stat(path); err != nil {
		needGuests(t, "plugin "+name+" is not built: run make plugins")
	}
	return path
}

func checkGuest(t *testing.T, path, params string) {
	t.Helper()
	p, err := newEngine(t).Load(t.Context(), path, DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := p.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	for _, f := range p.Check(t.Context(), []byte(params)) {
		if f.Err != nil {
			t.Errorf("%s: %v", f.Check, f.Err)
		}
	}
}

// TestPluginsConform puts every plugin of the repository, and with them every
// SDK, through the suite.
func TestPluginsConform(t *testing.T) {
	params := map[string]string{"grep": `{"pattern":"e"}`, "nexmark": `{"query":"q14"}`, "enrich-http": `{"url":"http://x/","field":"a","as":"b"}`, "json-select": `{"fields":["auction","price"]}`}
	for _, name := range []string{"identity", "identity-go", "parse-log", "enrich-http", "grep", "nexmark", "count-by", "dedupe", "session-timeout", "convert", "mask-pii", "json-select", "json-map", "sessionize", "top-k"} {
		t.Run(name, func(t *testing.T) { checkGuest(t, builtPlugin(t, name), params[name]) })
	}
}

// TestAGuestWrittenFromTheSpecificationAlone compiles a guest whose author had
// nothing but ABI.md.
func TestAGuestWrittenFromTheSpecificationAlone(t *testing.T) {
	if _, err := exec.LookPath("clang"); err != nil {
		needGuests(t, "clang is not installed")
	}
	out := filepath.Join(t.TempDir(), "shout.wasm")
	source := filepath.Join("..", "..", "abi", "abitest", "testdata", "shout.c")
	build := exec.CommandContext(t.Context(), "clang", "--target=wasm32", "-O2", "-nostdlib", "-Wl,--no-entry", "-o", out, source)
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	checkGuest(t, out, "")
	checkGuest(t, out, `{"suffix":"!!"}`)

	p, err := newEngine(t).Load(t.Context(), out, DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := p.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	tr := mustTransform(t, p, Config{Vertex: "v", Params: []byte(`{"suffix":"."}`), Tags: stream.NewTagTable("question")})
	in := batchOf([]abitest.Record{{Key: "k", Value: "hello"}, {}, {Value: "why?"}, {Value: "!no"}})
	result := stream.Output{Batch: (&stream.BatchPool{}).New()}
	if err := tr.Call(t.Context(), in, &result); err != nil {
		t.Fatal(err)
	}
	want := []abitest.Record{{Key: "k", Value: "HELLO."}, {Value: "WHY?."}}
	if got := recordsOf(result.Batch); !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if result.Records[0].Tag != stream.Untagged || result.Records[1].Tag != 1 {
		t.Errorf("tags %d and %d", result.Records[0].Tag, result.Records[1].Tag)
	}
	if len(result.Failures) != 1 || result.Failures[0].Input != 3 {
		t.Errorf("failures %+v", result.Failures)
	}
	if _, err := p.Transform(t.Context(), Config{Vertex: "v", Params: []byte(`{"suffix":7}`), Instances: 1}); stream.CodeOf(err) != stream.PluginParams {
		t.Errorf("params of the wrong type: %v", err)
	}
}

// TestAPanicOfAGoGuestIsTold shows what the guest's runtime printed.
func TestAPanicOfAGoGuestIsTold(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a Go guest")
	}
	dir := t.TempDir()
	out := filepath.Join(dir, "panics.wasm")
	build := exec.CommandContext(t.Context(), "go", "build", "-buildmode=c-shared", "-o", out, "./testdata/panics")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	p, err := newEngine(t).Load(t.Context(), out, DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := p.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	tr := mustTransform(t, p, Config{Vertex: "v"})
	result := stream.Output{Batch: (&stream.BatchPool{}).New()}
	err = tr.Call(t.Context(), batchOf([]abitest.Record{{Value: "x"}}), &result)
	if stream.CodeOf(err) != stream.GuestTrap || !strings.Contains(err.Error(), "index out of range [7] with length 1") ||
		!strings.Contains(err.Error(), "in main.seventh ← ") {
		t.Errorf("got %v, want the guest's own words", err)
	}
}

func BenchmarkCall(b *testing.B) {
	for _, name := range []string{"identity", "identity-go", "dedupe", "session-timeout"} {
		b.Run(name, func(b *testing.B) {
			p, err := newEngine(b).Load(b.Context(), builtPlugin(b, name), DefaultLimits())
			if err != nil {
				b.Fatal(err)
			}
			defer func() {
				if err := p.Close(b.Context()); err != nil {
					b.Error(err)
				}
			}()
			tr := mustTransform(b, p, Config{Vertex: "v"})
			rs := make([]abitest.Record, 1024)
			for i := range rs {
				rs[i].Value = strings.Repeat("x", 128)
			}
			in, out := batchOf(rs), stream.Output{Batch: (&stream.BatchPool{}).New()}
			b.ReportAllocs()
			for b.Loop() {
				out.Reset()
				if err := tr.Call(b.Context(), in, &out); err != nil {
					b.Fatal(err)
				}
				in.SwapArena(out.Batch)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1024, "ns/record")
		})
	}
}
