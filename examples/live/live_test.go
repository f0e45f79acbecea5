package live_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestThePipelineChangesWhileItRuns runs the script, which fails where a step does not
// do what it says.
func TestThePipelineChangesWhileItRuns(t *testing.T) {
	plugins, err := filepath.Abs("../../plugins")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(plugins, "grep.wasm")); err != nil && os.Getenv("REQUIRE_GUESTS") == "" {
		t.Skip("its plugins are not built: run make plugins")
	}
	dir := t.TempDir()
	for _, name := range []string{"live.sh", "pipeline.yaml"} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	bin := filepath.Join(dir, "wasmill")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "../../cmd/wasmill").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), "sh", filepath.Join(dir, "live.sh"), bin, plugins).CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	if !strings.HasSuffix(string(out), "\n  20000 orders\n") {
		t.Errorf("it ends otherwise:\n%s", out)
	}
}
