package examples_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTheReadmeWorks runs every shell block of the README in a copy of the
// repository, but for make test, and validates its pipeline file.
func TestTheReadmeWorks(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the project")
	}
	t.Parallel()
	dir := checkout(t)
	readme, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	script.WriteString("trap 'kill $! 2>/dev/null || true; bin/wasmill delete bench --home instances --force --yes 2>/dev/null || true' EXIT\n") // what runs behind it, if a line fails
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
	if len(blocks) < 3 {
		t.Fatalf("found %d blocks", len(blocks))
	}
	for _, b := range blocks {
		for line := range strings.Lines(b[1]) {
			if !strings.HasPrefix(line, "make test") {
				script.WriteString(line)
			}
		}
	}
	yaml := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindStringSubmatch(string(readme))[1]
	if err := os.WriteFile(filepath.Join(dir, "readme.yaml"), []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	script.WriteString("bin/wasmill validate readme.yaml\n")
	sh := exec.CommandContext(t.Context(), "sh", "-eux")
	sh.Dir, sh.Env = dir, append(os.Environ(), sameEverywhere...)
	sh.Stdin = strings.NewReader(script.String())
	out, err := sh.CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	for _, want := range []string{"next, a function of your own:", "plugins/shout.wasm: ", "HELLO, STREAM\n", "readme.yaml: pipeline access-log is valid", "ok     processes one record", "examples/access-log/out/ok.ndjson", "bench is created and ready", "removed checkpoints"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the output lacks %q:\n%s", want, out)
		}
	}
}
