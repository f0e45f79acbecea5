package watch

import (
	"os"
	"path/filepath"
	"testing"
)

// folderState waits for a state of a folder.
func (s *seen) folderState(path string, state State) {
	s.t.Helper()
	for s.last.Folders[path].State != state {
		s.next()
	}
}

func TestAFolderThatIsRemovedAndMadeAgain(t *testing.T) {
	t.Run("for long", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), "pipelines")
		path := filepath.Join(dir, "a.yaml")
		must(t, os.Mkdir(dir, 0o700))
		write(t, path, "one")
		s := start(t, New(heardOnly(Target{Path: dir, Pattern: "*.yaml"})))
		must(t, os.RemoveAll(dir))
		s.folderState(dir, Missing)
		s.until(path, Missing, "")
		must(t, os.Mkdir(dir, 0o700))
		s.folderState(dir, Present)
		write(t, path, "two")
		s.until(path, Present, "two")
		s.flush(dir)
		if got := s.of(path); len(got) != 2 {
			t.Errorf("told %v", got)
		}
	})
	for name, remove := range map[string]func(string) error{
		"at once":              os.RemoveAll,
		"and moved out of way": func(dir string) error { return os.Rename(dir, dir+".old") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "pipelines")
			path := filepath.Join(dir, "a.yaml")
			must(t, os.Mkdir(dir, 0o700))
			write(t, path, "one")
			s := start(t, New(heardOnly(Target{Path: dir, Pattern: "*.yaml"})))
			must(t, remove(dir))
			must(t, os.Mkdir(dir, 0o700))
			write(t, path, "two")
			s.until(path, Present, "two")
			s.flush(dir)
			if got := s.of(path); len(got) != 1 {
				t.Errorf("told %v", got)
			}
			must(t, os.Remove(path))
			s.until(path, Missing, "")
		})
	}
}

func TestWhatDoesNotExistYet(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	dir := filepath.Join(top, "not", "yet", "there")
	file := filepath.Join(top, "neither", "this.yaml")
	s := start(t, New(heardOnly(Target{Path: dir, Pattern: "*.yaml"}, Target{Path: file})))
	if f, ok := s.last.Files[file]; !ok || f.State != Missing || s.last.Folders[dir].State != Missing {
		t.Errorf("the first snapshot is %+v", s.last)
	}
	must(t, os.MkdirAll(dir, 0o700))
	s.folderState(dir, Present)
	must(t, os.MkdirAll(filepath.Dir(file), 0o700))
	write(t, filepath.Join(dir, "a.yaml"), "one")
	s.until(filepath.Join(dir, "a.yaml"), Present, "one")
	write(t, file, "one")
	s.until(file, Present, "one")
	s.flush(dir)
	if len(s.of(file)) != 1 || len(s.of(filepath.Join(dir, "a.yaml"))) != 1 {
		t.Errorf("told %v", s.all)
	}
}

func TestAFolderBehindALink(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	dir := filepath.Join(top, "current")
	for _, name := range []string{"1", "2"} {
		must(t, os.Mkdir(filepath.Join(top, name), 0o700))
		write(t, filepath.Join(top, name, "a.yaml"), "release "+name)
	}
	must(t, os.Symlink("1", dir))
	s := start(t, New(heardOnly(Target{Path: dir, Pattern: "*.yaml"})))
	path := filepath.Join(dir, "a.yaml")
	write(t, filepath.Join(top, "1", "a.yaml"), "release 1a")
	s.until(path, Present, "release 1a")
	must(t, os.Symlink("2", dir+".tmp"))
	must(t, os.Rename(dir+".tmp", dir))
	s.until(path, Present, "release 2")
	rename(t, path, "release 2a")
	s.until(path, Present, "release 2a")
	s.flush(dir)
	if got := s.of(path); len(got) != 3 {
		t.Errorf("told %v", got)
	}
}

// TestWhatIsNotMeant: hidden files, folders and others are not told of.
func TestWhatIsNotMeant(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, New(heardOnly(Target{Path: dir, Pattern: "*.yaml"})))
	write(t, filepath.Join(dir, ".hidden.yaml"), "one")
	write(t, filepath.Join(dir, "a.json"), "one")
	must(t, os.Mkdir(filepath.Join(dir, "folder.yaml"), 0o700))
	must(t, os.Symlink("nowhere", filepath.Join(dir, "dangling.yaml")))
	s.flush(dir)
	if len(s.last.Files) != 2 {
		t.Errorf("told %v", s.all)
	}
}

func TestLinksThatLeadNowhere(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Symlink("b", filepath.Join(dir, "a")))
	must(t, os.Symlink("a", filepath.Join(dir, "b")))
	must(t, os.Symlink("../"+filepath.Base(dir)+"/real", filepath.Join(dir, "c")))
	for path, want := range map[string]int{"a": maxLinks + 1, "c": 2, "x/y/z": 1} {
		if r := routeOf(filepath.Join(dir, path)); r.real != "" || len(r.entries) != want {
			t.Errorf("%s leads to %q by %v", path, r.real, r.entries)
		}
	}
	write(t, filepath.Join(dir, "real"), "")
	if r := routeOf(filepath.Join(dir, "c")); filepath.Base(r.real) != "real" || len(r.entries) != 2 {
		t.Errorf("c leads to %q by %v", r.real, r.entries)
	}
}
