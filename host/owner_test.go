package host_test

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/stream"
)

func TestADataDirBelongsToOneInstance(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "data")
	owner := func(want string) {
		t.Helper()
		if got, err := host.OwnerOf(dir); got != want || err != nil {
			t.Errorf("it belongs to %q, %v; want %q", got, err, want)
		}
	}
	owner("")
	if err := host.DisownData(dir, "a"); err != nil {
		t.Error(err)
	}
	for range 2 { // it may be said again
		if err := host.OwnData(dir, "a"); err != nil {
			t.Fatal(err)
		}
		owner("a")
	}
	for what, err := range map[string]error{"own": host.OwnData(dir, "b"), "disown": host.DisownData(dir, "b")} {
		if stream.CodeOf(err) != stream.DataOwned || stream.ExitCode(err) != 2 || !strings.Contains(err.Error(), "wasmill resume a") || !strings.Contains(err.Error(), "wasmill delete a") {
			t.Errorf("%s: got %v", what, err)
		}
	}
	owner("a")
	if err := host.DisownData(dir, "a"); err != nil {
		t.Error(err)
	}
	owner("")
	if entries, err := os.ReadDir(dir); len(entries) != 0 || err != nil {
		t.Errorf("left are %v, %v", entries, err)
	}
}

func TestAFolderOfAForegroundRunIsNoInstances(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, ".tmp-"+rand.Text()), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "admin.token"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := host.OwnData(dir, "a")
	if stream.CodeOf(err) != stream.DataOwned || !strings.Contains(err.Error(), "foreground run has used it: admin.token") {
		t.Errorf("got %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "admin.token")); err != nil {
		t.Fatal(err)
	}
	if err := host.OwnData(dir, "a"); err != nil { // a crash while it was claimed is no use
		t.Error(err)
	}
}

func TestADamagedOwnerIsNobodyAndNotNothing(t *testing.T) {
	for _, text := range []string{"", "a", "\n", "a/b\n", "a\nb\n"} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "instance"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if owner, err := host.OwnerOf(dir); owner != "" || stream.CodeOf(err) != stream.Environment {
			t.Errorf("%q: %q, %v", text, owner, err)
		}
		if err := host.OwnData(dir, "a"); err == nil {
			t.Errorf("%q: taken", text)
		}
	}
	if err := host.OwnData(t.TempDir(), "a\n"); stream.CodeOf(err) != stream.Usage {
		t.Errorf("a bad name: %v", err)
	}
}

func TestOneOfManyGetsAFolder(t *testing.T) {
	for range 20 {
		dir := filepath.Join(t.TempDir(), "data")
		var won atomic.Int32
		var all sync.WaitGroup
		for k := range 8 {
			all.Go(func() {
				if err := host.OwnData(dir, string(rune('a'+k))); err == nil {
					won.Add(1)
				} else if stream.CodeOf(err) != stream.DataOwned {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 {
			t.Fatalf("%d of them got it", won.Load())
		}
	}
}

func TestWhatIsNotOursInADataFolderIsToldFromWhatIs(t *testing.T) {
	for name, own := range map[string]bool{host.OwnerFile: true, "revisions": true, ".tmp-" + rand.Text(): true, ".tmp-notes": false, "instance.yaml": false, "out.txt": false} {
		if host.OwnEntry(name) != own {
			t.Errorf("%s is ours: %v", name, !own)
		}
	}
}
