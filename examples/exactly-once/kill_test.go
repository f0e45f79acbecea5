package exactlyonce_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// TestTheProcessIsKilled kills it in the middle, more than once, and compares the end
// with what a run writes that nobody disturbs.
func TestTheProcessIsKilled(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(".")); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "checkpoints")); err != nil { // of a run by hand
		t.Fatal(err)
	}
	bin := filepath.Join(dir, "wasmill")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "../../cmd/wasmill").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	killed := 0
	for ended := false; !ended; {
		run := exec.CommandContext(t.Context(), bin, "run", "--quiet", "--set", "admin.listen=off", filepath.Join(dir, "pipeline.yaml"))
		run.Dir = dir // where it keeps its data
		run.Stderr = t.Output()
		if err := run.Start(); err != nil {
			t.Fatal(err)
		}
		if killed < 3 {
			killed++
			time.AfterFunc(700*time.Millisecond, func() { _ = run.Process.Kill() })
		}
		err := run.Wait()
		if ended = err == nil; !ended && run.ProcessState.ExitCode() >= 0 {
			t.Fatal(err)
		}
	}
	orders, err := os.ReadFile(filepath.Join(dir, "out", "orders.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSuffix(orders, []byte("\n")), []byte("\n"))
	all := len(lines)
	slices.SortFunc(lines, bytes.Compare)
	if once := len(slices.CompactFunc(lines, bytes.Equal)); all != 200_000 || once != all {
		t.Errorf("%d orders, %d different ones", all, once)
	}
	want, err := os.ReadFile(filepath.Join("expected", "totals.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	totals, err := os.ReadFile(filepath.Join(dir, "out", "totals.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	lines = bytes.SplitAfter(bytes.TrimSuffix(totals, []byte("\n")), []byte("\n"))
	lines[len(lines)-1] = append(slices.Clone(lines[len(lines)-1]), '\n')
	slices.SortFunc(lines, bytes.Compare)
	if got := bytes.Join(lines, nil); !bytes.Equal(got, want) {
		t.Errorf("the totals are\n%s", got)
	}
}
