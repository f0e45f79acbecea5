package examine

import (
	"errors"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"time"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/doctor"
	"github.com/wasmill/wasmill/host/whole"
)

// data looks at data.dir, and writes a file there, which goes again.
func data(s *config.Process) *doctor.Data {
	d := &doctor.Data{Folder: folder(s.Data.Dir)}
	if d.State != doctor.There {
		return d
	}
	if info, err := os.Stat(s.Data.Dir); err == nil {
		if sys, ok := info.Sys().(*syscall.Stat_t); ok && int(sys.Uid) != os.Geteuid() {
			d.Owner = userName(sys.Uid)
		}
	}
	ahead, err := written(s.Data.Dir)
	if d.Ahead = ahead; err != nil {
		d.Write = cause(err)
	}
	var disk syscall.Statfs_t
	if syscall.Statfs(s.Data.Dir, &disk) == nil {
		d.Free, d.Total = disk.Bavail*uint64(disk.Bsize), disk.Blocks*uint64(disk.Bsize)
	}
	d.Instance, err = host.OwnerOf(s.Data.Dir)
	d.Faults = faultsOf(err)
	return d
}

func userName(id uint32) string {
	name := strconv.Itoa(int(id))
	if u, err := user.LookupId(name); err == nil {
		return u.Username
	}
	return "user " + name
}

// written writes a file to the disk, and says how far its clock is ahead of ours.
func written(dir string) (ahead time.Duration, err error) {
	f, err := os.CreateTemp(dir, trial+"*")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	if _, err = f.WriteString("whether files can be stored\n"); err != nil {
		return 0, err
	}
	if err = f.Sync(); err != nil {
		return 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return time.Until(info.ModTime()), nil
}

// trial begins the names of files that data.dir is tried with.
const trial = ".doctor-"

// halves are the names of what is not whole yet, as patterns of path/filepath.
func halves(s *config.Process, home string) (patterns []string) {
	data, token := s.Data.Dir, filepath.Dir(s.Admin.Token.File)
	for _, folder := range []string{data, filepath.Join(data, "phases"), filepath.Join(data, "revisions", "*"), filepath.Join(data, "plugins", "*"), token, s.Plugins.Dir, filepath.Join(s.Cache.Dir, "wasm", "quarantine")} {
		patterns = append(patterns, filepath.Join(folder, whole.Temporaries))
	}
	for _, name := range []string{trial + "*", "instance.*", ".token-*", "phases/.new-*", "plugins/*/.new-*"} { // all but the first: an older wasmill
		patterns = append(patterns, filepath.Join(data, name))
	}
	patterns = append(patterns, filepath.Join(token, ".token-*"), filepath.Join(s.Plugins.Dir, ".new-*"))
	if s.Admin.Listen.Private() {
		patterns = append(patterns, filepath.Join(filepath.Dir(socketPath(s.Admin.Listen.Addresses()[0])), ".s*"))
	}
	if home != "" {
		patterns = append(patterns, filepath.Join(home, ".new-*"), filepath.Join(home, ".gone-*"), filepath.Join(home, "*", whole.Temporaries))
	}
	return patterns
}

// isHalf tells the names that we make from those that users may choose.
func isHalf(name string) bool { return whole.Temporary(name) || half.MatchString(name) }

var half = regexp.MustCompile(`^(\.doctor-[0-9]+|instance\.[A-Z2-7]{26}|\.token-[0-9]+|\.new-([a-z0-9_-]+-)?[0-9]+|\.s[0-9]+|\.gone-[a-z0-9_-]+)$`)

// leftovers looks for what is half made.
func leftovers(s *config.Process, home string, now time.Time) (all []doctor.Leftover) {
	seen := make(map[string]bool)
	for _, pattern := range halves(s, home) {
		found, err := filepath.Glob(pattern)
		if err != nil {
			continue // a folder has a name that is no pattern
		}
		for _, path := range found {
			info, err := os.Lstat(path)
			if err != nil || seen[path] || !isHalf(filepath.Base(path)) || !info.Mode().IsRegular() && !info.IsDir() {
				continue
			}
			seen[path] = true
			all = append(all, doctor.Leftover{Path: path, Age: now.Sub(info.ModTime()), Bytes: sizeOf(path)})
		}
	}
	return all
}

// sizeOf adds up the files below a path.
func sizeOf(path string) (bytes int64) {
	_ = filepath.WalkDir(path, func(_ string, d fs.DirEntry, err error) error {
		if err == nil {
			if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
				bytes += info.Size()
			}
		}
		return nil // what goes meanwhile counts nothing
	})
	return bytes
}
