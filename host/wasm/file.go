package wasm

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"unicode"

	"github.com/wasmill/wasmill/host/stream"
)

// Ext is the file name extension of a plugin.
const Ext = ".wasm"

// File returns the path of a plugin in a folder. The name may have Ext or not;
// it is a name, never a path.
func File(dir, name string) (string, error) {
	base := strings.TrimSuffix(name, Ext)
	bad := func(r rune) bool { return r == '/' || r == '\\' || unicode.IsControl(r) }
	if base == "" || base[0] == '.' || strings.ContainsFunc(base, bad) {
		return "", &stream.Error{
			Code: stream.PluginName, Where: fmt.Sprintf("plugin %q", name),
			Why: "is not a plain file name",
			Fix: "name a file in the plugins folder, such as grep for " + filepath.Join(dir, "grep"+Ext),
		}
	}
	return filepath.Join(dir, base+Ext), nil
}

// Names lists the plugins in a folder by name, sorted. A folder that is not
// there has none.
func Names(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, &stream.Error{Code: stream.PluginFile, Where: dir, Why: "the plugins folder cannot be read", Err: err}
	}
	var names []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), Ext); ok && name != "" && !strings.HasPrefix(name, ".") {
			names = append(names, name)
		}
	}
	return names, nil
}

// readFile reads a plugin file of at most limit bytes. It takes regular files
// only, that nobody but their owner's group can write.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return nil, openError(path, err)
	}
	defer f.Close()
	refuse := func(code stream.Code, why, fix string) error {
		return &stream.Error{Code: code, Where: path, Why: why, Fix: fix}
	}
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, &stream.Error{Code: stream.PluginFile, Where: path, Why: "cannot be examined", Err: err}
	case !info.Mode().IsRegular():
		return nil, refuse(stream.PluginName, "is a "+kindOf(info.Mode())+", not a regular file", "put the .wasm file itself there")
	case info.Mode().Perm()&0o002 != 0:
		return nil, refuse(stream.PluginName, "can be written by everybody on this machine", "chmod o-w "+path)
	case info.Size() > limit:
		return nil, refuse(stream.PluginTooLarge, fmt.Sprintf("has %d bytes, the limit is %d", info.Size(), limit),
			"build it without debug information, or raise limits.pluginBytes of the vertex")
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, &stream.Error{Code: stream.PluginFile, Where: path, Why: "cannot be read", Err: err}
	case int64(len(data)) > limit:
		return nil, refuse(stream.PluginTooLarge, fmt.Sprintf("grew over the limit of %d bytes", limit), "")
	}
	return data, nil
}

// openError says why a plugin file could not be opened, and what is there
// instead.
func openError(path string, err error) error {
	if info, lerr := os.Lstat(path); lerr == nil && info.Mode()&fs.ModeSymlink != 0 {
		return &stream.Error{
			Code: stream.PluginName, Where: path,
			Why: "is a symbolic link", Fix: "copy the file into the plugins folder",
		}
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return notFound(path)
	}
	return &stream.Error{
		Code: stream.PluginFile, Where: path, Why: "cannot be opened", Err: err,
		Fix: "check that the user who runs wasmill may read it",
	}
}

// notFound says what there is instead of a plugin.
func notFound(path string) error {
	dir := filepath.Dir(path)
	e := &stream.Error{Code: stream.PluginNotFound, Where: path, Why: "there is no such plugin"}
	names, _ := Names(dir)
	switch info, err := os.Stat(dir); {
	case err != nil:
		e.Why = "the plugins folder " + dir + " does not exist"
		e.Fix = "name another with --plugins or plugins.dir; a relative one starts in the working directory"
	case !info.IsDir():
		e.Why = dir + " is a file, not a plugins folder"
		e.Fix = "name the folder that holds it"
	case isDir(strings.TrimSuffix(path, Ext)):
		e.Fix = "its source is there: build it (make plugins)"
	case len(names) > 0:
		e.Fix = dir + " holds " + strings.Join(names, ", ") + "; build or copy it there"
	default:
		e.Fix = "build or copy it there"
	}
	return e
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func kindOf(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "directory"
	case m&fs.ModeNamedPipe != 0:
		return "named pipe"
	case m&fs.ModeSocket != 0:
		return "socket"
	case m&fs.ModeDevice != 0:
		return "device"
	}
	return "special file"
}

// lookalike says what a file that is not wasm looks like, or "".
func lookalike(data []byte) string {
	head := bytes.TrimSpace(data[:min(len(data), 512)])
	switch {
	case len(data) == 0:
		return "an empty file"
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		return "a zip archive"
	case bytes.HasPrefix(data, []byte("\x1f\x8b")):
		return "a gzip file"
	case bytes.HasPrefix(data, []byte("\x7fELF")):
		return "a native program or library"
	case bytes.HasPrefix(head, []byte("(module")) || bytes.HasPrefix(head, []byte("(component")):
		return "WebAssembly text, which wat2wasm turns into a binary"
	case bytes.HasPrefix(bytes.ToLower(head), []byte("<!doctype")) || bytes.HasPrefix(bytes.ToLower(head), []byte("<html")):
		return "an HTML page, so perhaps a failed download"
	case bytes.HasPrefix(data, []byte("version https://git-lfs")):
		return "a Git LFS pointer: run git lfs pull"
	}
	return ""
}
