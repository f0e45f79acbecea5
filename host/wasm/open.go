package wasm

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/wasmill/wasmill/host/stream"
)

// openFile opens a regular file of a plugins folder to read, through the folder, so that
// neither can be exchanged meanwhile for something that would not be let in:
//
//   - Nothing but regular files. What else there is is not even opened, and if it takes
//     the place of one just then, it does not block.
//   - Links that stay inside of the folder, as those of a Kubernetes ConfigMap do. They
//     are relative.
//   - Neither the file nor a folder on the way to it may be written by everybody (see
//     exposed).
func openFile(path string) (*os.File, fs.FileInfo, error) {
	dir, base := filepath.Dir(path), filepath.Base(path)
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, nil, openError(nil, path, err)
	}
	defer root.Close()
	if info, err := root.Stat(base); err == nil && !info.Mode().IsRegular() {
		return nil, nil, irregular(path, info.Mode())
	}
	f, err := root.OpenFile(base, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return nil, nil, openError(root, path, err)
	}
	info, err := f.Stat()
	if err == nil {
		err = allowed(root, path, info)
	} else {
		err = &stream.Error{Code: stream.PluginFile, Where: path, Why: "cannot be examined", Err: err, Fix: "check the disk or the share it is on"}
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, info, nil
}

// allowed says why a file that is open is not let in.
func allowed(root *os.Root, path string, info fs.FileInfo) error {
	refuse := func(where, why, fix string) error {
		return &stream.Error{Code: stream.PluginName, Where: where, Why: why, Fix: fix}
	}
	if !info.Mode().IsRegular() {
		return irregular(path, info.Mode())
	}
	if info.Mode().Perm()&everybody != 0 {
		return refuse(path, "can be written by everybody on this machine", "chmod o-w "+path)
	}
	for _, within := range folders(path) {
		dir := filepath.Join(filepath.Dir(path), within)
		folder, err := root.Stat(within)
		switch {
		case err != nil:
			return &stream.Error{Code: stream.PluginFile, Where: dir, Why: "the plugins folder cannot be examined", Err: err, Fix: "check the disk or the share it is on"}
		case exposed(folder.Mode(), ours(info), func() bool { return readOnly(dir) }):
			return refuse(path, fmt.Sprintf("is in a folder in which everybody on this machine can put files (%s)", dir),
				"chmod o-w "+dir+"; in Kubernetes mount the volume with readOnly: true")
		}
	}
	return nil
}

// folders lists the folder of a file and, if that is a link, those inside of it on the way
// to what it leads to. They are relative to the first.
func folders(path string) []string {
	all := []string{"."}
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	real, err2 := filepath.EvalSymlinks(path)
	if errors.Join(err, err2) != nil {
		return all // what is open has been replaced
	}
	within, err := filepath.Rel(dir, filepath.Dir(real))
	for ; err == nil && within != "." && within != ".."; within = filepath.Dir(within) {
		all = append(all, within)
	}
	return all
}

// everybody is the permission of all users to write.
const everybody = 0o002

// exposed says whether everybody could have put a file into a folder, or could replace it
// there. Not so where the folder cannot be written at all, as a ConfigMap that Kubernetes
// mounts, and in one such as /tmp, where all may add files, for those of our own.
func exposed(folder fs.FileMode, ours bool, readOnly func() bool) bool {
	return folder.Perm()&everybody != 0 && (folder&fs.ModeSticky == 0 || !ours) && !readOnly()
}

// irregular is the error of what is not a regular file.
func irregular(path string, m fs.FileMode) error {
	kind := "special file"
	switch {
	case m.IsDir():
		kind = "directory"
	case m&fs.ModeNamedPipe != 0:
		kind = "named pipe"
	case m&fs.ModeSocket != 0:
		kind = "socket"
	case m&fs.ModeDevice != 0:
		kind = "device"
	}
	return &stream.Error{Code: stream.PluginName, Where: path, Why: "is a " + kind + ", not a regular file", Fix: "put the .wasm file itself there"}
}

// openError says why a plugin file could not be opened, and what is there instead. root
// is its folder, nil if that is what cannot be opened.
func openError(root *os.Root, path string, err error) error {
	missing := errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
	if root == nil && !errors.Is(err, fs.ErrPermission) && !isDir(filepath.Dir(path)) {
		missing = true
	}
	if root != nil && isLink(root, path) && !errors.Is(err, fs.ErrPermission) {
		why := "is a symbolic link out of its folder"
		if missing {
			why = "is a symbolic link to nothing"
		} else if errors.Is(err, syscall.ELOOP) {
			why = "is a symbolic link in a circle"
		}
		return &stream.Error{
			Code: stream.PluginName, Where: path, Why: why,
			Fix: "copy the file into the plugins folder; relative links inside of it are followed",
		}
	}
	if missing {
		return notFound(path)
	}
	return &stream.Error{
		Code: stream.PluginFile, Where: path, Why: "cannot be opened", Err: err,
		Fix: "check that the user who runs wasmill may read it",
	}
}

func isLink(root *os.Root, path string) bool {
	info, err := root.Lstat(filepath.Base(path))
	return err == nil && info.Mode()&fs.ModeSymlink != 0
}
