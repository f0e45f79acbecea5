package whole

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

// Temporaries is the pattern of path/filepath of the names of files that are being written; of
// what it finds Temporary tells ours.
const Temporaries = prefix + "*"

const prefix = ".tmp-"

// abandoned is the age at which such a file belongs to nobody any more.
const abandoned = time.Hour

// Temporary says whether the name of a file, without its folder, is one that is given to files
// that are being written.
func Temporary(name string) bool { return temporary.MatchString(name) }

var temporary = regexp.MustCompile(`^` + regexp.QuoteMeta(prefix) + `[A-Z2-7]{26}$`) // rand.Text

// Sweep removes what writers have left in a folder that are gone. Others may do so too.
func Sweep(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !Temporary(e.Name()) || !info.Mode().IsRegular() || time.Since(info.ModTime()) <= abandoned {
			continue
		}
		if err := os.Remove(filepath.Join(folder, e.Name())); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
