package wasm

import (
	"strings"

	"github.com/ianlancetaylor/demangle"

	"github.com/wasmill/wasmill/host/wasm/meter"
)

// maxFrames is how much of a guest's stack an error shows.
const maxFrames = 6

// stack returns the functions of a guest that a trap went through, innermost
// first, from the text of wazero's error. Frames of the guest language's runtime
// are left out, unless there are no others.
func stack(err error) string {
	_, trace, ok := strings.Cut(err.Error(), "wasm stack trace:")
	if !ok {
		return ""
	}
	var all, own []string
	for line := range strings.Lines(trace) {
		name := strings.TrimPrefix(strings.TrimSpace(line), ".")
		if i := strings.LastIndexByte(name, '('); i >= 0 {
			name = name[:i] // parameters; results follow
		}
		if name == "" || strings.HasPrefix(name, "... ") {
			continue
		}
		name = printable([]byte(demangle.Filter(name, demangle.NoParams, demangle.NoTemplateParams)), 100)
		all = append(all, name)
		if !ofRuntime(name) {
			own = append(own, name)
		}
	}
	if own == nil {
		own = all
	}
	if len(own) > maxFrames {
		own = append(own[:maxFrames], "…")
	}
	return strings.Join(own, " ← ")
}

// ofRuntime says whether a function belongs to a language and not to a plugin.
func ofRuntime(name string) bool {
	for _, prefix := range []string{"runtime.", "runtime_", "core::", "std::", "alloc::", "__rust", "rust_", "wasm_export", "_rt0", "internal/", "syscall.", "wasi_snapshot", meter.ImportModule} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
