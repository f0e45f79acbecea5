package wasm

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/wasmill/wasmill/host/stream"
)

// Ext is the file name extension of a plugin.
const Ext = ".wasm"

// maxName is the longest name of a plugin with Ext, in bytes: what file systems take.
const maxName = 255

// File returns the path of a plugin in a folder. The name may have Ext or not;
// it is a name, never a path.
func File(dir, name string) (string, error) {
	base := strings.TrimSuffix(name, Ext)
	why := ""
	switch {
	case base == "" || base[0] == '.' || strings.ContainsAny(base, `/\`):
		why = "is not a plain file name"
	case !utf8.ValidString(base) || strings.ContainsFunc(base, func(r rune) bool { return !unicode.IsPrint(r) }):
		why = "has characters that are not to be seen"
	case len(base)+len(Ext) > maxName:
		why = fmt.Sprintf("is longer than %d bytes", maxName-len(Ext))
	default:
		return filepath.Join(dir, base+Ext), nil
	}
	shown := name
	if r := []rune(name); len(r) > 60 {
		shown = string(r[:60]) + "…"
	}
	return "", &stream.Error{
		Code: stream.PluginName, Where: fmt.Sprintf("plugin %q", shown), Why: why,
		Fix: "name a file in the plugins folder, such as grep for " + filepath.Join(dir, "grep"+Ext),
	}
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

// readFile reads a plugin file of at most limit bytes, which openFile lets in and which
// nobody changes meanwhile.
func readFile(path string, limit int64) ([]byte, error) {
	f, before, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	tooLarge := func(why, fix string) error {
		return &stream.Error{Code: stream.PluginTooLarge, Where: path, Why: why, Fix: fix}
	}
	if before.Size() > limit {
		return nil, tooLarge(fmt.Sprintf("has %d bytes, the limit is %d", before.Size(), limit),
			"build it without debug information, or raise limits.pluginBytes of the vertex")
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		return nil, tooLarge(fmt.Sprintf("grew over the limit of %d bytes", limit), "")
	}
	if err := rested(f, path, before, int64(len(data)), err); err != nil {
		return nil, err
	}
	return data, nil
}

// HashOf returns the SHA-256, hex, of a plugin file that openFile lets in and that nobody
// changes meanwhile, and its size in bytes. What is in it is not looked at.
func HashOf(path string) (hash string, size int64, err error) {
	f, before, err := openFile(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	size, err = io.Copy(h, f)
	if err := rested(f, path, before, size, err); err != nil {
		return "", 0, err
	}
	return hex.EncodeToString(h.Sum(nil)), size, nil
}

// rested says whether n bytes that were read are all of a file, as it was before and still
// is. fault is that of reading them.
func rested(f *os.File, path string, before fs.FileInfo, n int64, fault error) error {
	after, err := f.Stat()
	if err := errors.Join(fault, err); err != nil {
		return &stream.Error{Code: stream.PluginFile, Where: path, Why: "cannot be read", Err: err, Fix: "check the disk or the share it is on"}
	}
	if n != after.Size() || after.Size() != before.Size() || !after.ModTime().Equal(before.ModTime()) {
		return Changed(path)
	}
	return nil
}

// Changed is the error of a plugin file that has changed while it was looked at, so that
// it is to be looked at again.
func Changed(path string) error {
	return &stream.Error{
		Code: stream.PluginChanged, Where: path, Why: "has changed while it was loaded",
		Fix: "try again when it is there whole; write it beside and rename it",
	}
}

// notFound says what there is instead of a plugin.
func notFound(path string) error {
	dir := filepath.Dir(path)
	e := &stream.Error{Code: stream.PluginNotFound, Where: path, Why: "there is no such plugin"}
	names, _ := Names(dir)
	above := filepath.Join(dir, "..", "..", filepath.Base(path)) // if this is called in plugins/NAME
	switch info, err := os.Stat(dir); {
	case isFile(above):
		e.Fix = "it is in " + filepath.Dir(above) + ": add --plugins " + filepath.Dir(above) + ", or call wasmill in the folder that has the plugins folder in it"
	case err != nil:
		e.Why = "the plugins folder " + dir + " does not exist"
		e.Fix = "name another with --plugins or plugins.dir; a relative one starts in the working directory"
	case !info.IsDir():
		e.Why = dir + " is a file, not a plugins folder"
		e.Fix = "name the folder that holds it"
	case isDir(strings.TrimSuffix(path, Ext)):
		e.Fix = "its source is there: wasmill build " + strings.TrimSuffix(path, Ext)
	case len(names) > 0:
		e.Fix = dir + " holds " + strings.Join(names, ", ") + "; build or copy it there"
	default:
		e.Fix = "build or copy it there"
	}
	return e
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
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
