package examples_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// guides are what the README leads to that has shell blocks, in the order in which they are
// run behind its own.
func guides() []string {
	return []string{
		"host/config/PIPELINES.md", "host/suite/TESTS.md", "checkpoint/CHECKPOINTS.md", "host/admin/OPERATING.md", "host/instance/INSTANCES.md",
		"host/LIVE.md", "host/supervise/SERVICE.md", "plugins/TRUST.md",
	}
}

// TestTheLinksOfTheGuidesLead looks at every relative link of the README and of the guides,
// and holds that the README leads to each guide.
func TestTheLinksOfTheGuidesLead(t *testing.T) {
	links := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	for _, name := range append(guides(), "README.md") {
		text, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		leads := make(map[string]bool)
		for _, link := range links.FindAllStringSubmatch(string(text), -1) {
			leads[link[1]] = true
			if _, err := os.Stat(filepath.Join("..", filepath.Dir(name), link[1])); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, guide := range guides() {
			if name == "README.md" && !leads[guide] {
				t.Errorf("the README does not lead to %s", guide)
			}
		}
	}
}

// TestTheReadmeWorks runs every shell block of the README, and then of the guides, in a copy
// of the repository, but for make test, and validates their pipeline files.
func TestTheReadmeWorks(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the project")
	}
	t.Parallel()
	dir := checkout(t)
	var text strings.Builder
	for _, name := range append([]string{"README.md"}, guides()...) {
		guide, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		text.Write(guide)
	}
	var script strings.Builder
	script.WriteString("trap 'kill $! 2>/dev/null || true; bin/wasmill delete bench --home instances --force --yes 2>/dev/null || true' EXIT\n") // what runs behind it, if a line fails
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(text.String(), -1)
	if len(blocks) < 20 {
		t.Fatalf("found %d blocks", len(blocks))
	}
	for _, b := range blocks {
		for line := range strings.Lines(b[1]) {
			if !strings.HasPrefix(line, "make test") {
				script.WriteString(line)
			}
		}
	}
	script.WriteString("cp -r plugins all && cp first/plugins/shout.wasm all\n")
	for _, b := range regexp.MustCompile("(?s)```yaml\n(name: (.*?)[ \n].*?)```").FindAllStringSubmatch(text.String(), -1) {
		file := b[2] + "-readme.yaml"
		if err := os.WriteFile(filepath.Join(dir, file), []byte(b[1]), 0o600); err != nil {
			t.Fatal(err)
		}
		script.WriteString("bin/wasmill validate --set plugins.dir=$PWD/all " + file + "\n")
	}
	sh := exec.CommandContext(t.Context(), "sh", "-eux")
	sh.Dir, sh.Env = dir, append(os.Environ(), sameEverywhere...)
	sh.Stdin = strings.NewReader(script.String())
	out, err := sh.CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	for _, want := range []string{"next, a function of your own:", "plugins/shout.wasm: ", "HELLO, STREAM\n", "access-log-readme.yaml: pipeline access-log is valid", "shouting-readme.yaml: pipeline shouting is valid", "ok     processes one record", "examples/access-log/out/ok.ndjson", "bench is created and ready", "removed checkpoints"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the output lacks %q:\n%s", want, out)
		}
	}
}
