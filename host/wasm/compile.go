package wasm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"time"

	"github.com/tetratelabs/wazero"

	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm/meter"
)

// CompileLimits bound a compilation in a child process. Compilers are the
// easiest part of a sandbox to overload: some 600 KB of nested ifs keep wazero
// busy for a minute, and it does not look at its context.
type CompileLimits struct {
	Command []string      // this program again, up to CompileMain's arguments; nil = compile in this process
	Timeout time.Duration // of processor time; positive
	Memory  int64         // heap of the child, bytes; positive
}

// The child runs on one processor, and leaves that to records that come. On a machine
// that is busy all the time it gets a quarter of one or less: so its own time is
// limited, and the time that passes only so that it ends at all.
const (
	compileNice = 5  // of 0 to 19, the lowest priority
	compileWait = 30 // times the timeout may pass in all
)

// Exit codes of the child.
const (
	compileInvalid = 10 // the module; the cause is on standard output
	compileMemory  = 11
	compileFailed  = 12 // the child itself; the cause is on standard output
	compileTimeout = 13
)

// precompile has a child compile a module into the cache, unless one has
// before. Without a command it does nothing.
func (e *Engine) precompile(ctx context.Context, path string, module []byte, hash string, pages uint32) error {
	if e.compile.Command == nil || e.Uncached != nil {
		return nil
	}
	done := filepath.Join(e.dir, fmt.Sprintf("%s-%d.ok", hash, meter.Version))
	_, err, _ := e.flights.Do(hash, func() (any, error) {
		if _, err := os.Stat(done); err == nil {
			return nil, nil
		}
		if err := e.runChild(ctx, path, module, pages); err != nil {
			return nil, err
		}
		return nil, os.WriteFile(done, nil, 0o600)
	})
	return err
}

// runChild compiles a module in a process of its own.
func (e *Engine) runChild(ctx context.Context, path string, module []byte, pages uint32) error {
	limit, cancel := context.WithTimeout(ctx, compileWait*e.compile.Timeout)
	defer cancel()
	args := slices.Concat(e.compile.Command[1:], []string{e.dir, strconv.Itoa(int(pages)), strconv.FormatInt(e.compile.Memory, 10), e.compile.Timeout.String()})
	c := exec.CommandContext(limit, e.compile.Command[0], args...)
	c.Stdin = bytes.NewReader(module)
	var said bytes.Buffer
	c.Stdout = &said
	err := c.Run()
	fault := &stream.Error{Code: stream.PluginCompile, Where: path}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case limit.Err() != nil:
		fault.Why = fmt.Sprintf("is not compiled after %v: other processes leave too little of the machine for it", compileWait*e.compile.Timeout)
		fault.Fix = "try again when the machine is less busy, or raise compile.timeout of the process"
		return fault
	}
	switch c.ProcessState.ExitCode() {
	case compileTimeout:
		fault.Why = fmt.Sprintf("takes longer than %v to compile", e.compile.Timeout)
		fault.Fix = "simplify its largest function, or raise compile.timeout of the process"
	case compileInvalid:
		return invalid(path, said.String())
	case compileMemory:
		fault.Why = fmt.Sprintf("takes more than %d MiB of memory to compile", e.compile.Memory>>20)
		fault.Fix = "simplify its largest function, or raise compile.memory of the process"
	default:
		fault.Why, fault.Err = "cannot be compiled in a process of its own", fmt.Errorf("%w: %s", err, said.String())
		fault.Fix = "this is a fault of wasmill or of the machine, not of the plugin"
	}
	return fault
}

// invalid is the error of a module that does not validate.
func invalid(path, why string) error {
	return &stream.Error{
		Code: stream.PluginInvalid, Where: path, Why: "does not validate", Err: errors.New(firstLine(why)),
		Fix: "build for WebAssembly 2.0 without threads, exceptions, memory64 or GC",
	}
}

// CompileMain is what the child does: it reads a module from in, compiles it
// into the cache, and returns the exit code. Its arguments are the folder of the
// cache, the memory limit in pages, that of its own heap in bytes, and that of its processor time.
func CompileMain(ctx context.Context, args []string, in io.Reader, out io.Writer) (exit int) {
	if err := compileChild(ctx, args, in); err != nil {
		fmt.Fprint(out, err)
		var bad *invalidModule
		if errors.As(err, &bad) {
			return compileInvalid
		}
		return compileFailed
	}
	return 0
}

// invalidModule is the error of a module that the compiler refuses.
type invalidModule struct{ error }

func compileChild(ctx context.Context, args []string, in io.Reader) error {
	if len(args) != 4 {
		return fmt.Errorf("%d arguments instead of 4", len(args))
	}
	pages, err := strconv.ParseUint(args[1], 10, 32)
	if err != nil {
		return err
	}
	memory, err := strconv.ParseInt(args[2], 10, 64)
	if err != nil {
		return err
	}
	timeout, err := time.ParseDuration(args[3])
	if err != nil {
		return err
	}
	lowerPriority()
	runtime.GOMAXPROCS(1)
	limitSelf(memory, timeout)
	module, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	cache, err := wazero.NewCompilationCacheWithDir(args[0])
	if err != nil {
		return err
	}
	r := wazero.NewRuntimeWithConfig(ctx, runtimeConfig(cache, uint32(pages)))
	if _, err := r.CompileModule(ctx, module); err != nil {
		return &invalidModule{err}
	}
	return nil
}

// limitSelf ends the process when its heap is larger than a limit, or it has used
// more time of processors.
func limitSelf(heap int64, timeout time.Duration) {
	debug.SetMemoryLimit(heap)
	start := time.Now()
	go func() {
		var m runtime.MemStats
		for range time.Tick(20 * time.Millisecond) {
			if runtime.ReadMemStats(&m); int64(m.HeapAlloc) > heap {
				os.Exit(compileMemory)
			}
			if processorTime(start) > timeout {
				os.Exit(compileTimeout)
			}
		}
	}()
}

// runtimeConfig is that of every runtime for guests; compiled code fits only
// runtimes of the same one.
func runtimeConfig(cache wazero.CompilationCache, pages uint32) wazero.RuntimeConfig {
	return wazero.NewRuntimeConfig().WithCompilationCache(cache).WithMemoryLimitPages(pages)
}
