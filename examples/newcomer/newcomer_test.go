package newcomer_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/project"
)

// TestANewcomerSeesTheirEdit runs the script in each language, which fails where a step does
// not do what it says.
func TestANewcomerSeesTheirEdit(t *testing.T) {
	wasmill := filepath.Join(t.TempDir(), "wasmill")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", wasmill, "../../cmd/wasmill").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, l := range project.Languages() {
		t.Run(string(l), func(t *testing.T) {
			if _, err := project.Compilers().Find(t.Context(), l); err != nil {
				if os.Getenv("REQUIRE_GUESTS") != "" {
					t.Fatal(err)
				}
				t.Skip(err)
			}
			sh := exec.CommandContext(t.Context(), "sh", "newcomer.sh", string(l), wasmill)
			sh.Env = append(os.Environ(), "TMPDIR="+t.TempDir(), "WASMILL_MEMORY_BUDGET=64GiB")
			out, err := sh.CombinedOutput()
			if err != nil {
				t.Fatalf("%v:\n%s", err, out)
			}
			// In this order, each behind the one before.
			rest := string(out)
			for _, step := range []string{" kept, ", "made      first/wasmill.yaml\n", "next:\n  wasmill build plugins/shout\n", "plugins/shout.wasm: ", " passed\n", "\nHELLO ", "$ edit plugins/shout/", "\n../shout.wasm: ", "\nhello ", "it has ended well\n"} {
				_, after, ok := strings.Cut(rest, step)
				if !ok {
					t.Fatalf("it does not print %q, or not in its place:\n%s", step, out)
				}
				rest = after
			}
		})
	}
}
