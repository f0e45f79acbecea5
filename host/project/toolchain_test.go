package project

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/stream"
)

// fakeTool writes a shell script that stands for a compiler, and returns its path.
func fakeTool(t *testing.T, dir, name, script string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestToolchainsThatCannotBeUsed(t *testing.T) {
	ld := filepath.Join(t.TempDir(), "wasm-ld")
	fakeTool(t, filepath.Dir(ld), "wasm-ld", "")
	clang := func(version, targets, linker string) string {
		return "case $1 in --version) echo '" + version + "';; --print-targets) echo '" + targets + "';; *) echo '" + linker + "';; esac"
	}
	for _, test := range []struct {
		name     string
		language Language
		script   string // empty = there is no compiler
		code     stream.Code
		why      string
	}{
		{"no Go", Go, "", stream.ToolchainMissing, "go is not in PATH"},
		{"no Rust", Rust, "", stream.ToolchainMissing, "rustc is not in PATH"},
		{"no Zig", Zig, "", stream.ToolchainMissing, "zig is not in PATH"},
		{"no clang", C, "", stream.ToolchainMissing, "clang is not in PATH"},
		{"no asc", AssemblyScript, "", stream.ToolchainMissing, "npm install --global assemblyscript"},
		{"an old Go", Go, "echo go version go1.23.9 linux/amd64", stream.ToolchainOld, "version 1.23.9 of go is too old: the SDK needs 1.24 or later"},
		{"an old Rust", Rust, "echo 'rustc 1.62.1 (abc 2022-07-16)'", stream.ToolchainOld, "1.63 or later"},
		{"an old Zig", Zig, "echo 0.9.1", stream.ToolchainOld, "0.17 or later"},
		{"an old asc", AssemblyScript, "echo Version 0.27.36", stream.ToolchainOld, "0.28 or later"},
		{"an old clang", C, clang("Debian clang version 13.0.1", "wasm32", ld), stream.ToolchainOld, "14 or later"},
		{"Apple's clang", C, clang("Apple clang version 15.0.0", "x86 aarch64", ld), stream.ToolchainMissing, "it has not the target wasm32"},
		{"clang without lld", C, clang("clang version 14.0.6", "wasm32", "wasm-ld"), stream.ToolchainMissing, "it finds no linker wasm-ld"},
		{"Rust without the target", Rust, "case $1 in --version) echo 'rustc 1.80.0';; *) echo /nowhere;; esac", stream.ToolchainMissing, "rustup target add wasm32-unknown-unknown"},
		{"something else", Zig, "echo hello", stream.ToolchainMissing, `it says "hello"`},
		{"one that fails", Go, "exit 3", stream.ToolchainMissing, "exit status 3"},
		{"enough of a Go", Go, "echo go version go1.24 linux/amd64", "", "1.24"},
		{"a newer Zig", Zig, "echo 0.17.0-dev.44+abc", "", "0.17.0"},
		{"enough of a clang", C, clang("clang version 14.0.0", "wasm32 - x", ld), "", "14.0.0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			if test.script != "" {
				fakeTool(t, dir, test.language.need().program, test.script)
			}
			tools := Toolchain{Env: []string{"PATH=" + dir + ":/no/such", "HOME=" + dir}, OS: "linux"}
			tool, err := tools.Find(t.Context(), test.language)
			if test.code != "" {
				is(t, err, test.code, test.why)
				return
			}
			if err != nil || tool.Version != test.why {
				t.Errorf("got %+v, %v", tool, err)
			}
		})
	}
}

func TestWhichOfSeveralCompilersIsTaken(t *testing.T) {
	home := t.TempDir()
	path, known := filepath.Join(home, "path"), filepath.Join(home, "known")
	fetched := filepath.Join(home, ".cache", "wasmill-toolchains", "bin")
	rustc := func(dir, libdir string) string {
		return fakeTool(t, dir, "rustc", "case $1 in --version) echo 'rustc 1.80.0';; *) echo "+libdir+";; esac")
	}
	rustc(path, "/nowhere")
	debian := rustc(known, known)
	tools := Toolchain{Env: []string{"PATH=" + path, "HOME=" + home}, OS: "linux", Known: map[Language][]string{Rust: {debian}}}
	is := func(l Language, want string) {
		t.Helper()
		if tool, err := tools.Find(t.Context(), l); err != nil || tool.Path != want {
			t.Errorf("got %+v, %v, want %s", tool, err, want)
		}
	}
	is(Rust, debian) // that in PATH has not the target
	inPath := rustc(path, path)
	is(Rust, inPath)

	fakeTool(t, path, "zig", "echo 0.17.2")
	is(Zig, filepath.Join(path, "zig"))
	is(Zig, fakeTool(t, path, "zig", "echo 0.18.0"))
	fakeTool(t, fetched, "zig", "echo 0.17.1")
	is(Zig, filepath.Join(fetched, "zig"))
	tools.Env = append(tools.Env, "ZIG="+filepath.Join(path, "zig"))
	is(Zig, filepath.Join(path, "zig"))
	tools.Env = append(tools.Env, "ZIG=zig-new") // also by its name in PATH
	is(Zig, fakeTool(t, path, "zig-new", "echo 0.19.0"))
	tools.Env = append(tools.Env, "ZIG=/no/zig")
	if _, err := tools.Find(t.Context(), Zig); err == nil || !strings.Contains(err.Error(), "/no/zig") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := tools.Find(ctx, Rust); err != context.Canceled {
		t.Errorf("got %v", err)
	}
}

func TestHowToInstallIsSaidForEverySystem(t *testing.T) {
	for _, l := range Languages() {
		for system, way := range map[string]string{"linux": "", "darwin": "brew "} {
			text := install(l, system)
			if l == AssemblyScript {
				way = "npm "
			}
			if text == "" || way != "" && !strings.Contains(text, way) {
				t.Errorf("%s on %s: %q", l, system, text)
			}
		}
	}
}
