package whole

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// folder is one that a test writes a file in, which is to hold nothing but it.
type folder struct {
	*testing.T
	dir, file string
}

func newFolder(t *testing.T) folder {
	dir := t.TempDir()
	return folder{t, dir, filepath.Join(dir, "f")}
}

// holds wants the file with a content and a mode, and no other one.
func (f folder) holds(content string, mode fs.FileMode) {
	f.Helper()
	data, err := os.ReadFile(f.file)
	if err != nil || string(data) != content {
		f.Errorf("the file holds %q, %v, want %q", data, err, content)
	}
	if info, err := os.Lstat(f.file); err != nil || info.Mode() != mode {
		f.Errorf("its mode is %v, %v, want %v", info.Mode(), err, mode)
	}
	f.alone()
}

// alone wants one entry in the folder.
func (f folder) alone() {
	f.Helper()
	if entries, err := os.ReadDir(f.dir); err != nil || len(entries) != 1 {
		f.Errorf("in the folder are %v, %v", entries, err)
	}
}

func (f folder) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

func TestAFileIsReplacedWithItsMode(t *testing.T) {
	for name, replace := range map[string]func(string, []byte, fs.FileMode) error{
		"Replace": Replace, "Show": Show,
		"Fill": func(name string, data []byte, mode fs.FileMode) error { return Fill(name, mode, content(data)) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFolder(t)
			f.must(replace(f.file, []byte("old"), 0o400)) // which nobody may write to
			f.holds("old", 0o400)
			f.must(replace(f.file, nil, 0o666)) // of which the umask would take something
			f.holds("", 0o666)
			f.must(replace(f.file, []byte("new"), 0o600))
			f.holds("new", 0o600)
		})
	}
}

func TestANameThatIsTakenIsNotCreated(t *testing.T) {
	f := newFolder(t)
	f.must(Create(f.file, []byte("first"), 0o640))
	f.holds("first", 0o640)
	if err := Create(f.file, []byte("second"), 0o600); !errors.Is(err, fs.ErrExist) {
		t.Error(err)
	}
	f.holds("first", 0o640)
}

// TestALinkIsReplacedAndNotWhatItPointsTo has a link to a file of somebody else.
func TestALinkIsReplacedAndNotWhatItPointsTo(t *testing.T) {
	f, other := newFolder(t), newFolder(t)
	f.must(Replace(other.file, []byte("theirs"), 0o644))
	f.must(os.Symlink(other.file, f.file))
	if err := Create(f.file, []byte("ours"), 0o600); !errors.Is(err, fs.ErrExist) {
		t.Error(err)
	}
	f.must(Replace(f.file, []byte("ours"), 0o600))
	f.holds("ours", 0o600)
	other.holds("theirs", 0o644)
}

// TestWhatFailsLeavesTheOldFileAndNoOther at each step up to the one that gives the name.
func TestWhatFailsLeavesTheOldFileAndNoOther(t *testing.T) {
	broken := errors.New("broken")
	fail := disk{func(*os.File) error { return broken }}
	half := func(w io.Writer) error { return errors.Join(content([]byte("ha"))(w), broken) }
	for name, write := range map[string]func(name string) error{
		"of filling":      func(name string) error { return Fill(name, 0o600, half) },
		"of the disk":     func(name string) error { return fail.write(name, 0o600, content([]byte("new")), os.Rename) },
		"of the creating": func(name string) error { return fail.write(name, 0o600, content([]byte("new")), os.Link) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFolder(t)
			f.must(Replace(f.file, []byte("old"), 0o600))
			if err := write(f.file); !errors.Is(err, broken) {
				t.Error(err)
			}
			f.holds("old", 0o600)
		})
	}
	t.Run("of the rename", func(t *testing.T) {
		f := newFolder(t)
		f.must(os.Mkdir(f.file, 0o700)) // which no file takes the name from
		if err := Replace(f.file, []byte("new"), 0o600); err == nil || !strings.Contains(err.Error(), "rename "+f.file+": ") {
			t.Error(err) // it does not name the file that is not there any more
		}
		f.alone()
	})
	t.Run("of the first step", func(t *testing.T) {
		missing := filepath.Join(t.TempDir(), "none", "f")
		err := Replace(missing, nil, 0o600)
		if p, ok := errors.AsType[*fs.PathError](err); !ok || p.Path != missing || !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
	})
}

// TestAFileHasItsNameOnlyWhenItIsOnTheDisk looks at the folder whenever the disk is waited for.
func TestAFileHasItsNameOnlyWhenItIsOnTheDisk(t *testing.T) {
	for name, give := range map[string]func(from, to string) error{"replaced": os.Rename, "created": os.Link} {
		t.Run(name, func(t *testing.T) {
			f := newFolder(t)
			var steps []string
			d := disk{func(synced *os.File) error {
				info, err := synced.Stat()
				f.must(err)
				_, err = os.Lstat(f.file)
				steps = append(steps, fmt.Sprintf("folder=%v bytes=%v mode=%v named=%v", info.IsDir(), !info.IsDir() && info.Size() == 3, info.Mode().Perm(), err == nil))
				f.alone()
				return nil
			}}
			f.must(d.write(f.file, 0o640, content([]byte("new")), give))
			info, err := os.Stat(f.dir)
			f.must(err)
			want := []string{"folder=false bytes=true mode=-rw-r----- named=false", fmt.Sprintf("folder=true bytes=false mode=%v named=true", info.Mode().Perm())}
			if fmt.Sprint(steps) != fmt.Sprint(want) {
				t.Errorf("the disk was waited for at %q, want %q", steps, want)
			}
		})
	}
}

func TestANameThatMayNotOutliveACrashIsAnError(t *testing.T) {
	f := newFolder(t)
	broken := errors.New("broken")
	d := disk{func(synced *os.File) error {
		if info, err := synced.Stat(); err != nil || info.IsDir() {
			return broken
		}
		return nil
	}}
	if err := d.write(f.file, 0o600, content([]byte("new")), os.Rename); !errors.Is(err, broken) {
		t.Error(err)
	}
	f.holds("new", 0o600)
	if err := Sync(filepath.Join(f.dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// TestNobodySeesHalfOfAFile reads while several write.
func TestNobodySeesHalfOfAFile(t *testing.T) {
	f := newFolder(t)
	of := func(writer int) []byte { return []byte(strings.Repeat(fmt.Sprint(writer), 100_000)) }
	f.must(Show(f.file, of(0), 0o600))
	var writers sync.WaitGroup
	for writer := range 3 {
		writers.Go(func() {
			for range 30 {
				if err := Show(f.file, of(writer), 0o600); err != nil {
					t.Error(err)
				}
			}
		})
	}
	ended := make(chan struct{})
	go func() { writers.Wait(); close(ended) }()
	for reading := true; reading; {
		select {
		case <-ended:
			reading = false
		default:
		}
		data, err := os.ReadFile(f.file)
		if err != nil || len(data) != 100_000 || strings.Trim(string(data), string(data[:1])) != "" {
			t.Errorf("%d bytes were seen, %v", len(data), err)
			break
		}
	}
	<-ended
	f.alone()
}
