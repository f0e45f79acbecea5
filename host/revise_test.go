package host

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/control/revision"
)

// config is that of a pipeline, once it runs.
func (f *followed) config(name string) ConfigStatus {
	f.Helper()
	f.until(name+" runs", f.runs(name))
	p, _ := f.status(name)
	return p.Config
}

// reopen ends the host and opens another one in the same folders.
func (f *followed) reopen() {
	f.Helper()
	if err := f.close(); err != nil {
		f.Fatal(err)
	}
	<-f.ended
	f.open()
}

// TestRevisionsGoOnOverRestarts: what is accepted is kept, with a number that stays.
func TestRevisionsGoOnOverRestarts(t *testing.T) {
	t.Parallel()
	text := func(interval string) string { return strings.Replace(numbers("p", ""), "50ms", interval, 1) }
	f := openFollowed(t, map[string]string{"p.yaml": text("50ms")})
	expect := func(what string, n uint64, origin revision.Origin, class, content string) {
		t.Helper()
		c := f.config("p")
		if c.Revision != n || c.Origin != string(origin) || c.Class != class || c.SHA256 != revision.Sum([]byte(content)) || c.Applied.IsZero() {
			t.Errorf("%s: it is %+v", what, c)
		}
	}
	expect("at first", 1, revision.Start, "", text("50ms"))
	f.write("p.yaml", text("60ms"))
	f.until("an edit is in force", func() bool { return f.config("p").Revision == 2 })
	expect("after an edit", 2, revision.File, "live", text("60ms"))
	f.reopen()
	expect("after a restart", 2, revision.File, "live", text("60ms"))
	if err := f.close(); err != nil {
		t.Fatal(err)
	}
	<-f.ended
	f.write("p.yaml", text("70ms"))
	f.open()
	expect("edited while nothing ran", 3, revision.Start, "live", text("70ms"))
	if err := f.close(); err != nil {
		t.Fatal(err)
	}
	<-f.ended
	f.write("p.yaml", "# a comment\n"+text("70ms"))
	f.open()
	expect("with a comment", 3, revision.Start, "live", text("70ms"))

	store := Revisions(f.Settings, "p")
	all, damaged, err := store.List()
	if err != nil || damaged != nil || len(all) != 3 {
		t.Fatalf("kept are %+v, %v, %v", all, damaged, err)
	}
	for i, interval := range []string{"70ms", "60ms", "50ms"} {
		if string(all[i].Content) != text(interval) {
			t.Errorf("revision %d is %s", all[i].Number, all[i].Content)
		}
	}

	last := filepath.Join(store.Dir(), "0000000003.revision")
	if err := os.Truncate(last, 100); err != nil {
		t.Fatal(err)
	}
	f.reopen()
	if c := f.config("p"); c.Revision != 4 || f.count("p: the newest revision is not compared with the file: "+last) != 1 {
		t.Errorf("with a damaged one it is %+v; told: %q", c, f.told)
	}
}

// TestAReloadThatIsAskedForSaysSo, and makes what is new; nobody watches the files.
func TestAReloadThatIsAskedForSaysSo(t *testing.T) {
	t.Parallel()
	f := newFollowed(t, map[string]string{"p.yaml": numbers("p", "")})
	f.make()
	f.write("p.yaml", numbers("p", "")+"description: another\n")
	f.write("q.yaml", numbers("q", ""))
	f.write("r.yaml", "name: [")
	all, err := f.Reload(t.Context())
	if err == nil || !strings.Contains(err.Error(), "r.yaml:1") {
		t.Errorf("what is broken is not said: %v", err)
	}
	if len(all) != 2 || all[0].Pipeline != "p" || len(all[0].Plan.Steps) != 1 || all[0].Origin != string(revision.Asked) || all[0].File != f.path("p.yaml") {
		t.Errorf("the reload is %+v", all)
	}
	if f.of("q") == nil || f.count("q: started") != 1 {
		t.Errorf("the new one is not there: %+v", f.Status())
	}
	if err := f.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestWhatCannotBeKeptIsInForce: a disk that takes no revision costs a warning.
func TestWhatCannotBeKeptIsInForce(t *testing.T) {
	t.Parallel()
	f := openFollowed(t, map[string]string{"p.yaml": numbers("p", "")})
	f.config("p")
	dir := Revisions(f.Settings, "p").Dir()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f.write("p.yaml", strings.Replace(numbers("p", ""), "50ms", "60ms", 1))
	f.until("the edit is in force", func() bool { return f.config("p").Revision == 2 })
	if f.count("p: revision: "+dir) != 1 || *f.Status().Pipelines[0].Checkpoint.Interval != 0.06 {
		t.Errorf("told: %q", f.told)
	}
}
