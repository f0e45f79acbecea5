package examine

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/wasmill/wasmill/host/doctor"
)

const (
	toolTimeout = 10 * time.Second // for what a tool says of itself
	mostSaid    = 300              // bytes of that
)

// Tool finds a tool in PATH, and in the folder into which make toolchains puts some.
func Tool(name string) (doctor.Tool, bool) {
	ask, path, found := "--version", "", false
	switch name {
	case "rustc", doctor.RustTarget:
		rustc, libs := rust()
		if name == doctor.RustTarget {
			return doctor.Tool{Path: libs}, libs != ""
		}
		path, found = rustc, rustc != ""
	case "go", "zig":
		ask = "version"
		fallthrough
	default:
		path, found = program(name)
	}
	if !found {
		return doctor.Tool{}, false
	}
	return doctor.Tool{Path: path, Version: says(path, ask)}, true
}

// program finds one by its name.
func program(name string) (path string, ok bool) {
	path, err := exec.LookPath(name)
	if cache, none := os.UserCacheDir(); err != nil && none == nil {
		path, err = exec.LookPath(filepath.Join(cache, "wasmill-toolchains", "bin", name))
	}
	return path, err == nil
}

// rust finds a rustc, and the libraries that it links plugins with. There may be two: that in
// PATH, such as rustup's, and Debian's. One with libraries is taken.
func rust() (rustc, libs string) {
	for _, name := range []string{"rustc", "/usr/bin/rustc"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		if rustc == "" {
			rustc = path
		}
		dir := says(path, "--print", "target-libdir", "--target", doctor.RustTarget)
		if cores, err := filepath.Glob(filepath.Join(dir, "libcore-*.rlib")); err == nil && filepath.IsAbs(dir) && len(cores) > 0 {
			return path, dir
		}
	}
	return rustc, ""
}

// says is the first line of what a program prints.
func says(path string, args ...string) string {
	ctx, cancel := context.WithTimeout(context.Background(), toolTimeout)
	defer cancel()
	c := exec.CommandContext(ctx, path, args...)
	c.WaitDelay = time.Second
	out, err := c.Output()
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return line[:min(len(line), mostSaid)]
}
