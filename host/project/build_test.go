package project

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/stream"
)

// workbench is a project in C, and a compiler for it that copies the source.
func workbench(t *testing.T, check func(ctx context.Context, path string) error) (*Builder, *Project) {
	t.Helper()
	dir := t.TempDir()
	fakeTool(t, dir, "wasm-ld", "")
	clang := fakeTool(t, dir, "clang", `
case $1 in
--version) echo clang version 14.0.6; exit;;
--print-targets) echo wasm32; exit;;
-print-prog-name=wasm-ld) echo wasm-ld; exit;;
esac
while [ "$1" != -o ]; do shift; done
grep -q broken "$3" && { echo "$3:1: it is broken" >&2; exit 1; }
echo a warning
cp "$3" "$2"
`)
	p := &Project{Dir: filepath.Join(dir, "f"), Name: "f", Language: C, Source: "f.c"}
	edit(t, p, "one")
	env := []string{"PATH=" + dir + ":" + os.Getenv("PATH"), "CLANG=" + clang}
	return &Builder{Tools: &Toolchain{Env: env, OS: "linux"}, Plugins: filepath.Join(dir, "plugins"), Check: check}, p
}

func edit(t *testing.T, p *Project, text string) {
	t.Helper()
	if err := os.MkdirAll(p.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.Dir, p.Source), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestABuildIsPutInPlaceWholeOrNotAtAll is invariant 2.
func TestABuildIsPutInPlaceWholeOrNotAtAll(t *testing.T) {
	var checked []string
	var refuse error
	b, p := workbench(t, func(_ context.Context, path string) error {
		data, err := os.ReadFile(path)
		checked = append(checked, string(data))
		return errors.Join(err, refuse)
	})
	file := filepath.Join(b.Plugins, "f.wasm")
	holds := func(want string) {
		t.Helper()
		entries, err := os.ReadDir(b.Plugins)
		if data, readErr := os.ReadFile(file); err != nil || readErr != nil || string(data) != want || len(entries) != 1 {
			t.Errorf("%q, %v, %v, %v; want %q alone", data, entries, err, readErr, want)
		}
	}
	built, err := b.Build(t.Context(), p)
	if err != nil || built.File != file || built.Bytes != 3 || built.Same || built.Compiler.Version != "14.0.6" || built.Output != "a warning\n" || built.Took <= 0 {
		t.Errorf("%+v, %v", built, err)
	}
	holds("one")

	if built, err := b.Build(t.Context(), p); err != nil || !built.Same {
		t.Errorf("%+v, %v", built, err)
	}

	edit(t, p, "broken")
	built, err = b.Build(t.Context(), p)
	is(t, err, stream.BuildFailed, "clang does not compile it: exit status 1")
	if built.File != "" || built.Output != "f.c:1: it is broken\n" {
		t.Errorf("%+v", built)
	}
	holds("one")

	edit(t, p, "two")
	refuse = &stream.Error{Code: stream.PluginABI, Where: "x", Why: "no good", Fix: "mend it"}
	_, err = b.Build(t.Context(), p)
	is(t, err, stream.PluginABI, "no good")
	holds("one")

	refuse = nil
	if _, err := b.Build(t.Context(), p); err != nil {
		t.Error(err)
	}
	holds("two")
	if got := strings.Join(checked, " "); got != "one one two two" {
		t.Errorf("checked %s", got)
	}
}

func TestErrorsOfACheckNameThePluginWhereItIsToBe(t *testing.T) {
	b, p := workbench(t, func(_ context.Context, path string) error {
		return &stream.Error{Code: stream.PluginExport, Where: path, Why: "no good", Fix: "mend it"}
	})
	_, err := b.Build(t.Context(), p)
	is(t, err, stream.PluginExport, filepath.Join(b.Plugins, "f.wasm")+": no good")
}

func TestABuildThatCannotBeWritten(t *testing.T) {
	b, p := workbench(t, func(context.Context, string) error { return nil })
	b.Plugins = filepath.Join(p.Dir, p.Source, "plugins")
	_, err := b.Build(t.Context(), p)
	is(t, err, stream.OutputFile, "not a directory")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Build(ctx, p); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
