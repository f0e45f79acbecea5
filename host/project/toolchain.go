package project

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/wasmill/wasmill/host/stream"
)

// Tool is a compiler that can be used.
type Tool struct {
	Path    string `json:"path"`
	Version string `json:"version"`
}

// Toolchain finds compilers.
type Toolchain struct {
	Env   []string              // KEY=value: PATH, HOME, and what names a compiler, such as CLANG
	OS    string                // as in runtime.GOOS: what the fixes of errors are for
	Known map[Language][]string // where they are besides, after PATH
}

// Compilers returns the toolchain of this machine.
func Compilers() *Toolchain {
	return &Toolchain{Env: os.Environ(), OS: runtime.GOOS, Known: map[Language][]string{
		Rust: {"/usr/bin/rustc"}, // Debian's, which has the target where that of rustup may not
		C:    {"/opt/homebrew/opt/llvm/bin/clang", "/usr/local/opt/llvm/bin/clang"},
	}}
}

// need is what a language needs.
type need struct {
	program string
	args    []string // print the version
	least   string
}

func (l Language) need() need {
	return map[Language]need{
		Go:             {"go", []string{"version"}, "1.24"},
		Rust:           {"rustc", []string{"--version"}, "1.63"},
		C:              {"clang", []string{"--version"}, "14"},
		AssemblyScript: {"asc", []string{"--version"}, "0.28"},
		Zig:            {"zig", []string{"version"}, "0.17"},
	}[l]
}

// Find returns the first compiler of a language that can be used: that named by the variable
// of its name in capitals alone, or those that make toolchains fetched, in PATH, and known.
// The error says how to get one.
func (t *Toolchain) Find(ctx context.Context, l Language) (Tool, error) {
	n := l.need()
	var first error // why the first that is there cannot be used
	for _, path := range t.candidates(l) {
		tool, err := t.try(ctx, l, path)
		if err == nil {
			return tool, nil
		}
		if ctx.Err() != nil {
			return Tool{}, ctx.Err()
		}
		if first == nil {
			first = err
		}
	}
	if first == nil {
		first = &stream.Error{
			Code: stream.ToolchainMissing, Where: l.String(), Why: fmt.Sprintf("%s is not in PATH, and %s names no other", n.program, strings.ToUpper(n.program)), Fix: install(l, t.OS),
		}
	}
	return Tool{}, first
}

// candidates lists the files that are there.
func (t *Toolchain) candidates(l Language) (files []string) {
	program := l.need().program
	if named := t.env(strings.ToUpper(program)); named != "" {
		if !strings.ContainsRune(named, filepath.Separator) {
			named = cmp.Or(t.lookup(named), named)
		}
		return []string{named}
	}
	cache := t.env("XDG_CACHE_HOME")
	if cache == "" {
		cache = filepath.Join(t.env("HOME"), ".cache")
	}
	for _, path := range append([]string{filepath.Join(cache, "wasmill-toolchains", "bin", program), t.lookup(program)}, t.Known[l]...) {
		if runnable(path) && !slices.Contains(files, path) {
			files = append(files, path)
		}
	}
	return files
}

// lookup finds a program in PATH; empty = it is not there.
func (t *Toolchain) lookup(program string) string {
	for _, dir := range filepath.SplitList(t.env("PATH")) {
		if path := filepath.Join(dir, program); dir != "" && runnable(path) {
			return path
		}
	}
	return ""
}

func runnable(path string) bool {
	info, err := os.Stat(path)
	return path != "" && err == nil && !info.IsDir() && info.Mode()&0o111 != 0
}

// env is the value of a variable, the last one that is set.
func (t *Toolchain) env(name string) string {
	for _, kv := range slices.Backward(t.Env) {
		if value, ok := strings.CutPrefix(kv, name+"="); ok {
			return value
		}
	}
	return ""
}

// version is that in what a compiler says of itself: the first numbers with a dot.
var version = regexp.MustCompile(`\d+\.\d+(\.\d+)?`)

// try asks a compiler what it is, and says why it cannot be used.
func (t *Toolchain) try(ctx context.Context, l Language, path string) (Tool, error) {
	n := l.need()
	if !runnable(path) {
		return Tool{}, &stream.Error{Code: stream.ToolchainMissing, Where: path, Why: strings.ToUpper(n.program) + " names it, and there is no such program", Fix: "name another, or unset it for the one in PATH"}
	}
	text, err := t.run(ctx, path, n.args...)
	tool := Tool{path, version.FindString(text)}
	if err != nil || tool.Version == "" {
		if err == nil {
			err = fmt.Errorf("it says %.80q", strings.TrimSpace(text))
		}
		return tool, &stream.Error{
			Code: stream.ToolchainMissing, Where: path, Why: fmt.Sprintf("it does not tell its version as %s does", n.program), Err: err,
			Fix: fmt.Sprintf("mend it, or name another with %s; %s", strings.ToUpper(n.program), install(l, t.OS)),
		}
	}
	if older(tool.Version, n.least) {
		return tool, &stream.Error{
			Code: stream.ToolchainOld, Where: path, Why: fmt.Sprintf("version %s of %s is too old: the SDK needs %s or later", tool.Version, n.program, n.least), Fix: install(l, t.OS),
		}
	}
	if why, fix := t.lacks(ctx, l, path); why != "" {
		return tool, &stream.Error{Code: stream.ToolchainMissing, Where: path, Why: why, Fix: fix}
	}
	return tool, nil
}

// lacks says what a compiler has to have besides for WebAssembly, and has not.
func (t *Toolchain) lacks(ctx context.Context, l Language, path string) (why, fix string) {
	switch l {
	case Rust:
		const target = "wasm32-unknown-unknown"
		lib, err := t.run(ctx, path, "--print", "target-libdir", "--target", target)
		if _, statErr := os.Stat(strings.TrimSpace(lib)); err != nil || statErr != nil {
			return "it has not the target " + target, "rustup target add " + target + ", or for Debian's rustc apt-get install libstd-rust-dev-wasm32"
		}
	case C:
		targets, err := t.run(ctx, path, "--print-targets")
		if err != nil || !strings.Contains(targets, "wasm32") {
			return "it has not the target wasm32, as Apple's has not", install(l, t.OS)
		}
		linker, err := t.run(ctx, path, "-print-prog-name=wasm-ld")
		if linker = strings.TrimSpace(linker); err != nil || !runnable(linker) && t.lookup(linker) == "" {
			return "it finds no linker wasm-ld, which is part of lld", install(l, t.OS)
		}
	}
	return "", ""
}

// run returns what a program prints to standard output.
func (t *Toolchain) run(ctx context.Context, path string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, path, args...)
	c.Env = append(slices.Clone(t.Env), "GOTOOLCHAIN=local")
	out, err := c.Output()
	return string(out), err
}

// older says whether a version is before another one, by their numbers.
func older(is, least string) bool {
	a, b := strings.Split(is, "."), strings.Split(least, ".")
	for i := range b {
		x, y := 0, 0
		if i < len(a) {
			x, _ = strconv.Atoi(a[i])
		}
		if y, _ = strconv.Atoi(b[i]); x != y {
			return x < y
		}
	}
	return false
}

// install says how to get a compiler on an operating system.
func install(l Language, system string) string {
	mac := system == "darwin"
	switch l {
	case Go:
		if mac {
			return "brew install go, or take one from https://go.dev/dl"
		}
		return "take one from https://go.dev/dl, as packages of the system are often older than 1.24"
	case Rust:
		if mac {
			return "brew install rustup, rustup default stable, rustup target add wasm32-unknown-unknown"
		}
		return "apt-get install rustc libstd-rust-dev-wasm32; or https://rustup.rs and rustup target add wasm32-unknown-unknown"
	case C:
		if mac {
			return "brew install llvm lld; Apple's clang does not do"
		}
		return "apt-get install clang lld, or dnf install clang lld"
	case AssemblyScript:
		return "npm install --global assemblyscript@0.28"
	}
	if mac {
		return "brew install zig, or take 0.17 from https://ziglang.org/download and name it with ZIG"
	}
	return "take 0.17 from https://ziglang.org/download and put it into PATH, or name it with ZIG"
}
