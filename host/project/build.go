package project

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/stream"
)

// Builder builds projects.
type Builder struct {
	Tools   *Toolchain
	Plugins string // the folder that plugins are put into
	// Check says what is wrong with the plugin in a file. It may keep nothing of it.
	Check func(ctx context.Context, path string) error
}

// Built is what came of a build.
type Built struct {
	Plugin   string        `json:"plugin"`
	Language Language      `json:"language"`
	Compiler Tool          `json:"compiler"`
	File     string        `json:"file,omitempty"` // where the plugin is; empty if it was not put there
	Bytes    int64         `json:"bytes,omitempty"`
	Same     bool          `json:"same,omitempty"`   // the file had the same bytes already, and was left alone
	Output   string        `json:"output,omitempty"` // of the compiler
	Took     time.Duration `json:"-"`
}

// Build compiles a project, checks the plugin and puts it into the plugins folder, whole or
// not at all. Built has what is known also with an error.
func (b *Builder) Build(ctx context.Context, p *Project) (built Built, err error) {
	begun := time.Now()
	built = Built{Plugin: p.Name, Language: p.Language}
	defer func() { built.Took = time.Since(begun) }()
	if built.Compiler, err = b.Tools.Find(ctx, p.Language); err != nil {
		return built, err
	}
	if err := os.MkdirAll(b.Plugins, 0o755); err != nil {
		return built, unwritable(b.Plugins, err)
	}
	// In the plugins folder, so that it can be renamed into place; watchers look at no
	// folders in there.
	dir, err := os.MkdirTemp(b.Plugins, ".build-*")
	if err != nil {
		return built, unwritable(b.Plugins, err)
	}
	defer func() {
		if gone := os.RemoveAll(dir); gone != nil && err == nil {
			err = unwritable(dir, gone)
		}
	}()
	out := filepath.Join(dir, p.Name+".wasm")
	if built.Output, err = b.compile(ctx, p, built.Compiler, out); err != nil {
		return built, err
	}
	if err := b.Check(ctx, out); err != nil {
		return built, placed(err, dir, b.Plugins)
	}
	return built, b.place(&built, out)
}

// compile runs the compiler and returns what it said.
func (b *Builder) compile(ctx context.Context, p *Project, tool Tool, out string) (said string, err error) {
	if out, err = filepath.Abs(out); err != nil {
		return "", err
	}
	path, err := filepath.Abs(tool.Path)
	if err != nil {
		return "", err
	}
	r := p.recipe(out)
	c := exec.CommandContext(ctx, path, r.args...)
	c.Dir, c.Env = p.Dir, append(slices.Clone(b.Tools.Env), r.env...)
	c.WaitDelay = time.Second // its children may hold its output open when it is killed
	var output bytes.Buffer
	c.Stdout, c.Stderr = &output, &output
	err = c.Run()
	switch exit := (*exec.ExitError)(nil); {
	case ctx.Err() != nil:
		return output.String(), context.Cause(ctx)
	case errors.As(err, &exit):
		return output.String(), &stream.Error{
			Code: stream.BuildFailed, Where: p.Dir, Why: fmt.Sprintf("%s does not compile it: %s", p.Language.need().program, exit.Error()), Fix: "mend what the compiler says; the plugin of the build before, if there was one, is as it was",
		}
	case err != nil:
		return output.String(), &stream.Error{Code: stream.ToolchainMissing, Where: tool.Path, Why: "it cannot be run", Err: err, Fix: install(p.Language, b.Tools.OS)}
	}
	return output.String(), nil
}

// place renames a plugin into the plugins folder, if it is another one than there is.
func (b *Builder) place(built *Built, out string) error {
	file := filepath.Join(b.Plugins, filepath.Base(out))
	data, err := os.ReadFile(out)
	if err != nil {
		return unwritable(out, err)
	}
	built.Bytes = int64(len(data))
	before, err := os.ReadFile(file)
	if built.Same = err == nil && bytes.Equal(before, data); !built.Same {
		if err := errors.Join(os.Chmod(out, 0o644), os.Rename(out, file)); err != nil {
			return unwritable(file, err)
		}
	}
	built.File = file
	return nil
}

// placed is an error with places in a folder that is gone soon as if it were another one.
func placed(err error, from, to string) error {
	var errs []error
	for _, e := range config.Faults(err) {
		at := *e
		at.Where = strings.ReplaceAll(e.Where, from, to)
		errs = append(errs, &at)
	}
	if errs == nil {
		return err
	}
	return errors.Join(errs...)
}
