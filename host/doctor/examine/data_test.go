package examine

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/doctor"
)

func settings(dir string) *config.Process {
	s := &config.Process{}
	s.Data.Dir, s.Plugins.Dir = filepath.Join(dir, "data"), filepath.Join(dir, "plugins")
	s.Cache.Dir, s.Admin.Token.File = filepath.Join(dir, "cache"), filepath.Join(dir, "data", "admin.token")
	s.Admin.Listen = config.Listen("unix:" + filepath.Join(dir, "run", "s"))
	return s
}

func TestDataIsLookedAt(t *testing.T) {
	s := settings(t.TempDir())
	if d := data(s); d.State != doctor.Missing {
		t.Errorf("without a folder: %+v", d)
	}
	if err := Mend(doctor.Repair{Action: doctor.Make, Path: s.Data.Dir, Mode: 0o700}); err != nil {
		t.Fatal(err)
	}
	d := data(s)
	if d.State != doctor.There || d.Mode != 0o700 || d.Write != "" || d.Total == 0 || d.Instance != "" || d.Owner != "" || d.Ahead.Abs() > 10*time.Second {
		t.Errorf("%+v", d)
	}
	if left, err := os.ReadDir(s.Data.Dir); err != nil || len(left) > 0 {
		t.Errorf("it has left %v, %v", left, err)
	}
	if err := host.OwnData(s.Data.Dir, "i"); err != nil {
		t.Fatal(err)
	}
	if d := data(s); d.Instance != "i" {
		t.Errorf("of an instance: %+v", d)
	}
	s.Data.Dir = s.Plugins.Dir
	if err := os.WriteFile(s.Data.Dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if d := data(s); d.State != doctor.NoFolder {
		t.Errorf("of a file: %+v", d)
	}
	if err := Mend(doctor.Repair{Action: doctor.Make, Path: s.Data.Dir, Mode: 0o700}); err == nil {
		t.Error("a folder was made in the place of a file")
	}
	if _, err := written(filepath.Join(s.Data.Dir, "none")); err == nil {
		t.Error("a file was written in a file")
	}
}

// TestOnlyWhatWasLeftIsRemoved has each name that is made for what is not whole, and ones of
// users that look like them.
func TestOnlyWhatWasLeftIsRemoved(t *testing.T) {
	dir := t.TempDir()
	s := settings(dir)
	const random = "ABCDEFGHIJKLMNOPQRSTUVWX27"
	halfMade := []string{"data/.doctor-12", "data/instance." + random, "data/.token-9", "data/phases/.new-1", "data/.tmp-" + random, "data/phases/.tmp-" + random, "data/plugins/grep/.tmp-" + random, "plugins/.tmp-" + random, "cache/wasm/quarantine/.tmp-" + random, "home/my-job/.tmp-" + random, "data/revisions/p/.tmp-" + random, "data/plugins/grep/.new-2", "plugins/.new-77", "run/.s5/s", "home/.new-my-job-3/spec.json", "home/.gone-my-job4/spec.json"}
	users := []string{"data/instance", "data/instance.yaml", "data/admin.token", "data/revisions/p/0000000001.revision", "plugins/grep.wasm", "plugins/.new-grep.wasm", "plugins/.tmp-grep.wasm", "run/.secret", "home/my-job/spec.json", "data/.tokens"}
	old := time.Now().Add(-2 * time.Hour)
	for _, name := range slices.Concat(halfMade, users) {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("12345"), 0o600), os.Chtimes(path, old, old)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"run/.s5", "home/.new-my-job-3", "home/.gone-my-job4"} {
		if err := os.Chtimes(filepath.Join(dir, name), old, old); err != nil {
			t.Fatal(err)
		}
	}
	young := filepath.Join(dir, "data", ".token-10")
	if err := os.WriteFile(young, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	found := leftovers(s, filepath.Join(dir, "home"), time.Now())
	if len(found) != len(halfMade)+1 {
		t.Errorf("found are %+v", found)
	}
	for _, l := range found {
		err := Mend(doctor.Repair{Action: doctor.Remove, Path: l.Path})
		if _, gone := os.Lstat(l.Path); (l.Path == young) != (err != nil) || (l.Path == young) != (gone == nil) {
			t.Errorf("%+v is removed: %v", l, err)
		}
		if l.Path != young && (l.Bytes != 5 || l.Age < time.Hour) {
			t.Errorf("it is %+v", l)
		}
	}
	for _, name := range users {
		path := filepath.Join(dir, name)
		if err := Mend(doctor.Repair{Action: doctor.Remove, Path: path}); err == nil {
			t.Errorf("%s may be removed", name)
		}
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}

func TestAToolIsFoundByItsName(t *testing.T) {
	dir := t.TempDir()
	script := "#!/bin/sh\n[ \"$1\" = version ] && echo 0.17.5 && echo more\n"
	if err := os.WriteFile(filepath.Join(dir, "zig"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	if zig, ok := Tool("zig"); !ok || zig.Version != "0.17.5" || zig.Path != filepath.Join(dir, "zig") {
		t.Errorf("zig is %+v, %v", zig, ok)
	}
	if none, ok := Tool("no-such-tool"); ok {
		t.Errorf("there is %+v", none)
	}
}
