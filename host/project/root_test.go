package project

import (
	"os"
	"path/filepath"
	"testing"
)

func TestRoot(t *testing.T) {
	for _, test := range []struct {
		name  string
		files []string
		dir   string
		want  string // empty = none
	}{
		{"a folder with settings is one itself", []string{"wasmill.yaml"}, ".", "."},
		{"so is one with plugins of its own, whatever is above", []string{"wasmill.yaml", "a/plugins/x"}, "a", "a"},
		{"and one with pipelines", []string{"wasmill.yaml", "a/pipelines/x"}, "a", "a"},
		{"the nearest settings count", []string{"wasmill.yaml", "a/wasmill.yaml", "a/b/x"}, "a/b", "a"},
		{"also from the folder of a plugin", []string{"wasmill.yaml", "src/plugins/shout/x"}, "src/plugins/shout", "."},
		{"without settings it is the folder plugins that counts", []string{"a/plugins/shout/x"}, "a/plugins/shout", "a"},
		{"from further below, too", []string{"a/plugins/shout/wasmill/x"}, "a/plugins/shout/wasmill", "a"},
		{"and from itself", []string{"a/plugins/x"}, "a/plugins", "a"},
		{"a folder plugins beside is none's", []string{"plugins/x", "a/b/x"}, "a/b", ""},
		{"a folder is no file with settings", []string{"wasmill.yaml/x", "a/x"}, "a", ""},
		{"what others may write to does not count", []string{"open/wasmill.yaml", "open/a/x"}, "open/a", ""},
		{"nor if it holds plugins", []string{"open/plugins/a/x"}, "open/plugins/a", ""},
		{"but for the folder itself", []string{"open/wasmill.yaml"}, "open", "open"},
	} {
		t.Run(test.name, func(t *testing.T) {
			top := t.TempDir()
			for _, f := range test.files {
				if err := write(top, File{f, nil}); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := os.Stat(filepath.Join(top, "open")); err == nil {
				if err := os.Chmod(filepath.Join(top, "open"), 0o777); err != nil {
					t.Fatal(err)
				}
			}
			t.Chdir(filepath.Join(top, test.dir))
			for dir, name := range map[string]string{".": "the working directory", filepath.Join(top, test.dir): "a whole path"} {
				root, ok := Root(dir)
				if ok != (test.want != "") || ok && Near(whole(t, root)) != Near(filepath.Join(top, test.want)) {
					t.Errorf("%s: got %q, %v", name, root, ok)
				}
			}
		})
	}
}

func whole(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestNearIsWhatLeadsThere(t *testing.T) {
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(top, "far", "shout"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(top, "far", "shout"), filepath.Join(top, "shout")); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Join(top, "far", "shout"))
	if got := Near(top); got != "../.." {
		t.Errorf("got %s", got)
	}
	t.Chdir(filepath.Join(top, "shout")) // .. leads to far
	if got := Near(top); got != top {
		t.Errorf("through a link: got %s", got)
	}
}
