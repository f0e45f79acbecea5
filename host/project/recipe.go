package project

import (
	"os"
	"path/filepath"
)

// recipe is how a project is compiled: a command in its folder.
type recipe struct {
	args []string // without the compiler
	env  []string // besides what the process has
}

// recipe returns that of a project whose plugin is to be in the file out, an absolute path.
// The flags are those of the Makefile, and of the comments of the SDKs.
func (p *Project) recipe(out string) recipe {
	switch p.Language {
	case Go: // its module is the one that the folder is in, and no other toolchain is fetched
		return recipe{
			[]string{"build", "-trimpath", "-buildvcs=false", "-buildmode=c-shared", "-o", out, "."},
			[]string{"GOOS=wasip1", "GOARCH=wasm", "GOWORK=off", "GOTOOLCHAIN=local"},
		}
	case Rust:
		return recipe{args: []string{
			"--edition", "2021", "--target", "wasm32-unknown-unknown", "-C", "opt-level=3", "-C", "panic=abort", "-C", "target-feature=+bulk-memory",
			"-C", "strip=debuginfo", "--crate-type", "cdylib", "--crate-name", "plugin", "-o", out, p.Source,
		}}
	case C:
		return recipe{args: []string{"--target=wasm32", "-O3", "-mbulk-memory", "-nostdlib", "-Wl,--no-entry", "-Wl,--stack-first", "-o", out, p.Source}}
	case Zig:
		return recipe{args: []string{"build-exe", "-target", "wasm32-freestanding", "-O", "safe", "-fstrip", "-fno-entry", "-rdynamic", "-femit-bin=" + out, p.Source}}
	}
	args := []string{p.Source, "-O3", "--runtime", "incremental", "-o", out}
	for _, sdk := range []string{"wasmill/wasmill", "wasmill"} { // in its folder, or beside the source
		if _, err := os.Stat(filepath.Join(p.Dir, sdk+".ts")); err == nil {
			args = append(args, "--use", "abort="+sdk+"/abort")
			break
		}
	}
	return recipe{args: args}
}
