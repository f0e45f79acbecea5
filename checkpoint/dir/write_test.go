package dir

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
)

func TestAFolderThatGoesIsMadeAgain(t *testing.T) {
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, name := range []string{"a", "a/b/c"} {
		tries := 0
		err := s.inFolder("x/"+name, func(target string) error {
			if tries++; tries < 20 {
				if err := s.root.RemoveAll("x"); err != nil {
					t.Fatal(err)
				}
			}
			return s.root.WriteFile(target, nil, fileMode)
		})
		if err != nil || tries < 20 {
			t.Errorf("%s: %v after %d tries", name, err, tries)
		}
	}
}

func TestAFolderThatNeverStaysIsAnError(t *testing.T) {
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.inFolder("a/b", func(string) error { return &os.PathError{Op: "link", Err: fs.ErrNotExist} })
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// TestAnOwnLinkIsASuccess is for network file systems that repeat a request
// whose answer was lost.
func TestAnOwnLinkIsASuccess(t *testing.T) {
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	temp, err := s.writeTemp([]byte("mine"))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.link(temp, "a/b"); err != nil {
			t.Errorf("got %v", err)
		}
	}
	other, err := s.writeTemp([]byte("mine"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.link(other, "a/b"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("another file with the same bytes: %v", err)
	}
}

// TestAFolderIsSyncedForEachNameAndThoseAboveItOnce counts what reaches the disk.
func TestAFolderIsSyncedForEachNameAndThoseAboveItOnce(t *testing.T) {
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var synced []string
	s.sync = func(f *os.File) error {
		synced = append(synced, strings.TrimPrefix(strings.TrimPrefix(f.Name(), s.path), "/"))
		return f.Sync()
	}
	for _, step := range []struct {
		name string
		want string
	}{
		{"p/a/1", "p/a p . "},
		{"p/a/2", "p/a "},
		{"p/b/1", "p/b p "},
		{"p/b/2", "p/b "},
		{"-p/a/1 p/a/2", "p "},
		{"p/a/3", "p/a p "}, // it was gone, and its name with it
		{"q/1", "q . "},
	} {
		synced = nil
		if names, ok := strings.CutPrefix(step.name, "-"); ok {
			err = s.Delete(t.Context(), strings.Fields(names)...)
		} else {
			err = s.Put(t.Context(), step.name, []byte("x"))
		}
		got := ""
		for _, f := range synced {
			got += f + " "
		}
		if err != nil || got != step.want {
			t.Errorf("%s syncs %q, not %q (%v)", step.name, got, step.want, err)
		}
	}
}
