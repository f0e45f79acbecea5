package wasm

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/stream"
)

// uncommented returns the example in the comment of an SDK file: what is indented, or
// stands between fences.
func uncommented(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, text, ok := strings.Cut(string(data), "//! ```\n"); ok {
		text, _, _ = strings.Cut(text, "//! ```\n")
		return regexp.MustCompile(`(?m)^//! ?`).ReplaceAllString(text, "")
	}
	var b strings.Builder
	for line := range strings.Lines(string(data)) {
		code, indented := strings.CutPrefix(line, "//\t")
		switch {
		case indented:
			b.WriteString(code)
		case strings.TrimSpace(line) == "//":
			b.WriteString("\n")
		case b.Len() > 0 && strings.TrimSpace(b.String()) != "":
			return b.String()
		}
	}
	return b.String()
}

// documented builds the example of the SDK file of a kind in a folder of its own, with
// what the file says it needs beside it, and returns its path. Go needs imports, too.
func documented(t *testing.T, language, kind string, imports ...string) string {
	t.Helper()
	dir := t.TempDir()
	sdk := filepath.Join("..", "..", "abi", "sdk", language)
	out := filepath.Join(dir, "example.wasm")
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	copied := func(to string, names ...string) {
		for _, name := range names {
			data, err := os.ReadFile(filepath.Join(sdk, name))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.MkdirAll(filepath.Join(dir, to), 0o700); err != nil {
				t.Fatal(err)
			}
			write(filepath.Join(to, name), string(data))
		}
	}
	var build *exec.Cmd
	switch language {
	case "c":
		copied("", kind+".h", "wasmill.h")
		source := write("example.c", uncommented(t, filepath.Join(sdk, kind+".h")))
		build = exec.CommandContext(t.Context(), "clang", "--target=wasm32", "-O3", "-Wall", "-Werror", "-mbulk-memory", "-nostdlib", "-Wl,--no-entry", "-Wl,--stack-first", "-o", out, source)
	case "rust":
		copied("", kind+".rs", "wasmill.rs")
		source := write("example.rs", uncommented(t, filepath.Join(sdk, kind+".rs")))
		rustc := "rustc"
		if exists("/usr/bin/rustc") {
			rustc = "/usr/bin/rustc"
		}
		build = exec.CommandContext(t.Context(), rustc, "-D", "warnings", "--edition", "2021", "--target", "wasm32-unknown-unknown", "-C", "opt-level=3", "-C", "panic=abort",
			"-C", "target-feature=+bulk-memory", "--crate-type", "cdylib", "-o", out, source)
	case "go":
		copied("wasmill", "wasmill.go", kind+".go")
		for _, beside := range []string{kind + "_wasm.go", kind + "_native.go"} {
			if exists(filepath.Join(sdk, beside)) {
				copied("wasmill", beside)
			}
		}
		write("go.mod", "module example\n\ngo 1.24\n")
		write("main.go", "package main\n\nimport (\n\t\""+strings.Join(append(imports, "example/wasmill"), "\"\n\t\"")+"\"\n)\n\n"+uncommented(t, filepath.Join(sdk, kind+".go")))
		build = exec.CommandContext(t.Context(), "go", "build", "-buildmode=c-shared", "-o", out, ".")
		build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=-mod=mod", "GOWORK=off")
	case "zig":
		copied("", kind+".zig", "wasmill.zig")
		source := write("example.zig", uncommented(t, filepath.Join(sdk, kind+".zig")))
		build = zig(t, out, source)
	case "assemblyscript":
		copied("", kind+".ts", "wasmill.ts")
		write("example.ts", uncommented(t, filepath.Join(sdk, kind+".ts")))
		build = asc(t, out, "example.ts", "-O3")
	}
	build.Dir = dir
	if _, err := exec.LookPath(build.Path); err != nil {
		needGuests(t, build.Path+" is not installed")
	}
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return out
}

// TestTheExamplesOfTheSDKsTurnToCapitals builds the example in the comment of each SDK's
// first file.
func TestTheExamplesOfTheSDKsTurnToCapitals(t *testing.T) {
	for _, language := range []string{"c", "rust", "go", "zig", "assemblyscript"} {
		t.Run(language, func(t *testing.T) {
			path := documented(t, language, "wasmill", "bytes")
			checkGuest(t, path, "")
			tr := mustTransform(t, loaded(t, path), Config{Vertex: "v"})
			out := stream.Output{Batch: (&stream.BatchPool{}).New()}
			in := []abitest.Record{{Time: 1, Key: "key", Value: "hello, World {}"}, {Time: 2}}
			if err := tr.Call(t.Context(), batchOf(in), &out); err != nil {
				t.Fatal(err)
			}
			in[0].Value = "HELLO, WORLD {}"
			if got := recordsOf(out.Batch); !slices.Equal(got, in) {
				t.Errorf("got %+v, want %+v", got, in)
			}
		})
	}
}

// TestTheExamplesOfTheSDKsCountVisits builds the example in the comment of each SDK's
// file for state and timers, and has it count.
func TestTheExamplesOfTheSDKsCountVisits(t *testing.T) {
	e := newEngine(t)
	for _, language := range []string{"c", "rust", "go", "zig", "assemblyscript"} {
		t.Run(language, func(t *testing.T) {
			path := documented(t, language, "process", "strconv", "time")
			checkGuest(t, path, "")
			p, err := e.Load(t.Context(), path, DefaultLimits())
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := p.Close(t.Context()); err != nil {
					t.Error(err)
				}
			}()
			tr := mustTransform(t, p, Config{Vertex: "v"})
			s := abitest.NewState()
			process := func(port uint16, records ...abitest.Record) []abitest.Record {
				in, out := batchOf(records), stream.Output{Batch: (&stream.BatchPool{}).New()}
				for i := range in.Records {
					in.Records[i].Port = port
				}
				s.Begin(records)
				if err := tr.Process(t.Context(), s, in, &out); err != nil {
					t.Fatal(err)
				}
				return recordsOf(out.Batch)
			}
			if got := process(0, abitest.Record{Time: 1, Key: "ann"}, abitest.Record{Time: 2, Key: "bob"}, abitest.Record{Time: 3, Key: "ann"}); len(got) > 0 {
				t.Errorf("visits gave %+v", got)
			}
			const minute = 60_000_000_000
			if at, ok := s.Timer("ann", 0, "silent"); !ok || at != 3+minute {
				t.Errorf("the timer is at %d, %v", at, ok)
			}
			silent := abitest.Record{Time: 3 + minute, Key: "ann", Value: "silent"}
			want := abitest.Record{Time: 3 + minute, Key: "ann", Value: "2"}
			if got := process(stream.EventTimer, silent); !slices.Equal(got, []abitest.Record{want}) {
				t.Errorf("got %+v, want %+v", got, want)
			}
			s.Begin([]abitest.Record{{Key: "ann"}, {Key: "bob"}})
			if _, ok := s.Get(0, []byte("count")); ok {
				t.Error("the count of ann is still there")
			}
			if v, _ := s.Get(1, []byte("count")); string(v) != "\x01\x00\x00\x00\x00\x00\x00\x00" {
				t.Errorf("the count of bob is %q", v)
			}
		})
	}
}
