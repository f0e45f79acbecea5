package examples_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// sameEverywhere is set when something is built in a copy: what was compiled in another folder,
// or for a release, is taken from the build cache.
var sameEverywhere = []string{"GOFLAGS=-trimpath", "CGO_ENABLED=0"}

// checkout returns a copy of the repository as a fresh checkout has it, with the plugins that
// are built here already, so that make has little to do.
func checkout(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"abi", "checkpoint", "cmd", "host", "plugins", "examples", ".ci"} {
		if err := os.CopyFS(filepath.Join(dir, name), os.DirFS(filepath.Join("..", name))); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"go.mod", "go.sum", "Makefile", "README.md"} {
		data, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	for _, plugin := range glob(t, dir, "plugins/*.wasm") { // are newer than their sources
		if err := os.Chtimes(plugin, now, now); err != nil {
			t.Fatal(err)
		}
	}
	for _, left := range append(glob(t, dir, "examples/*/out/*"), glob(t, dir, "examples/*/checkpoints")...) { // by a run by hand
		if strings.HasPrefix(filepath.Base(left), ".") {
			continue
		}
		if err := os.RemoveAll(left); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func glob(t *testing.T, dir, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	return found
}
