package project

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/stream"
)

// Language is one that there is an SDK for, as its folder in abi/sdk.
type Language string

// The languages.
const (
	Go             Language = "go"
	Rust           Language = "rust"
	C              Language = "c"
	AssemblyScript Language = "assemblyscript"
	Zig            Language = "zig"
)

// Languages lists all of them.
func Languages() []Language { return []Language{Go, Rust, C, AssemblyScript, Zig} }

// ext is how its sources end.
func (l Language) ext() string {
	return map[Language]string{Go: ".go", Rust: ".rs", C: ".c", AssemblyScript: ".ts", Zig: ".zig"}[l]
}

// headers is how files end that sources include; empty = as sources.
func (l Language) headers() string {
	if l == C {
		return ".h"
	}
	return ""
}

// String is its name as its people write it.
func (l Language) String() string {
	return map[Language]string{Go: "Go", Rust: "Rust", C: "C", AssemblyScript: "AssemblyScript", Zig: "Zig"}[l]
}

// ParseLanguage takes a language by its name in lower case.
func ParseLanguage(text string) (Language, error) {
	var names []string
	for _, l := range Languages() {
		names = append(names, string(l))
	}
	if !slices.Contains(names, text) {
		fix := config.Suggest(text, names)
		if l, ok := map[string]Language{"golang": Go, "rs": Rust, "ts": AssemblyScript, "as": AssemblyScript, "asc": AssemblyScript, "typescript": AssemblyScript}[strings.ToLower(text)]; ok {
			fix = "did you mean " + string(l) + "?"
		}
		return "", &stream.Error{Code: stream.Usage, Where: "--lang", Why: fmt.Sprintf("there is no SDK for %.40q", text), Fix: fix}
	}
	return Language(text), nil
}

// Kinds lists the kinds that New makes.
func Kinds() []abi.Kind { return []abi.Kind{abi.KindMap, abi.KindAggregate, abi.KindProcess} }

// ParseKind takes a kind by its name.
func ParseKind(text string) (abi.Kind, error) {
	var names []string
	for _, k := range Kinds() {
		names = append(names, string(k))
	}
	if !slices.Contains(names, text) {
		return "", &stream.Error{Code: stream.Usage, Where: "--kind", Why: fmt.Sprintf("there is no kind %.40q", text), Fix: config.Suggest(text, names)}
	}
	return abi.Kind(text), nil
}

// maxName is the longest name of a vertex, and so of a plugin that New makes.
const maxName = 63

// checkName says what is wrong with a name for a plugin, its vertex and its files.
func checkName(name string) error {
	const letters = "abcdefghijklmnopqrstuvwxyz"
	why, fix := "", "choose another name"
	switch {
	case name == "" || len(name) > maxName || !strings.Contains(letters, name[:1]) || strings.ContainsFunc(name, func(r rune) bool { return !strings.ContainsRune(letters+"0123456789-_", r) }):
		why = fmt.Sprintf("it is not a name of at most %d small letters, digits, - and _ that starts with a letter", maxName)
		fix = "write one such as word-count"
	case name == sourceVertex || name == sinkVertex:
		why = fmt.Sprintf("%s and %s are other vertices of its pipeline", sourceVertex, sinkVertex)
	case strings.HasSuffix(name, "_test"):
		why = "files that end so are tests"
	default:
		return nil
	}
	return &stream.Error{Code: stream.Usage, Where: fmt.Sprintf("%.80q", name), Why: why, Fix: fix}
}
