package wasm

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// tool returns the path of a compiler: what the variable of its name says, or what make
// toolchains fetched, or what is in PATH.
func tool(t testing.TB, name string) string {
	t.Helper()
	if path := os.Getenv(strings.ToUpper(name)); path != "" {
		return path
	}
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		cache = filepath.Join(os.Getenv("HOME"), ".cache")
	}
	if path := filepath.Join(cache, "wasmill-toolchains", "bin", name); exists(path) {
		return path
	}
	path, err := exec.LookPath(name)
	if err != nil {
		needGuests(t, name+" is not installed: run make toolchains")
	}
	return path
}

// zig returns the command that builds a guest as the comment of wasmill.zig says.
func zig(t testing.TB, out string, sources ...string) *exec.Cmd {
	t.Helper()
	args := []string{"build-exe", "-target", "wasm32-freestanding", "-O", "safe", "-fstrip", "-fno-entry", "-rdynamic", "-femit-bin=" + out, "--cache-dir", t.TempDir()}
	return exec.CommandContext(t.Context(), tool(t, "zig"), append(args, sources...)...)
}

// zigTest returns the command that runs the tests of a source.
func zigTest(t testing.TB, source string) *exec.Cmd {
	t.Helper()
	return exec.CommandContext(t.Context(), tool(t, "zig"), "test", "--cache-dir", t.TempDir(), source)
}

// asc returns the command that builds a guest beside wasmill.ts as its comment says, but for
// how much it optimizes.
func asc(t testing.TB, out, source, level string) *exec.Cmd {
	t.Helper()
	return exec.CommandContext(t.Context(), tool(t, "asc"), source, level, "--runtime", "incremental", "--use", "abort=wasmill/abort", "-o", out)
}

// besideSDK returns a folder with a source and all files of an SDK beside it, as a project
// has them.
func besideSDK(t testing.TB, language, source string) string {
	t.Helper()
	dir := t.TempDir()
	files, err := filepath.Glob(filepath.Join("..", "..", "abi", "sdk", language, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, source) {
		data, err := os.ReadFile(file)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, filepath.Base(file)), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
