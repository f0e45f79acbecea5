package doctor

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// language is one that guests are written in, and what it takes to build them.
type language struct {
	name  string
	parts []part
	how   string // to get them
}

// part is a tool of a language.
type part struct {
	tool  string
	least []int // the oldest version that is tried; nil = any
	below []int // and the first that is not any more; nil = none
}

// The names of tools that are no programs of that name.
const (
	RustTarget = "wasm32-unknown-unknown" // the library of rustc for it
)

func languages() []language {
	return []language{
		{"Go", []part{{tool: "go", least: []int{1, 24}}}, "https://go.dev/dl has it"},
		{"C", []part{{tool: "clang", least: []int{14}}, {tool: "wasm-ld", least: []int{14}}}, "Debian and Ubuntu: apt-get install clang lld; macOS: brew install llvm lld"},
		{"Rust", []part{{tool: "rustc", least: []int{1, 63}}, {tool: RustTarget}}, "https://rustup.rs, then rustup target add wasm32-unknown-unknown; Debian: apt-get install rustc libstd-rust-dev-wasm32"},
		{"Zig", []part{{tool: "zig", least: []int{0, 17}, below: []int{0, 18}}}, "take 0.17 from https://ziglang.org/download and put it into PATH, or name it with ZIG"},
		{"AssemblyScript", []part{{tool: "node", least: []int{20}}, {tool: "asc", least: []int{0, 28}}}, "https://nodejs.org, then npm install --global assemblyscript@0.28"},
	}
}

// Tools lists the names of the tools that there may be.
func Tools() (names []string) {
	for _, l := range languages() {
		for _, p := range l.parts {
			names = append(names, p.tool)
		}
	}
	return names
}

// toolchains says for each language whether guests can be built.
func toolchains(tools map[string]Tool) (all []Finding) {
	if tools == nil {
		return nil
	}
	for _, l := range languages() {
		all = append(all, l.finding(tools))
	}
	return all
}

func (l language) finding(tools map[string]Tool) Finding {
	var have, lack, wrong []string
	for _, p := range l.parts {
		t, ok := tools[p.tool]
		if !ok {
			lack = append(lack, p.tool)
			continue
		}
		v := versionIn(t.Version)
		shown := p.tool
		if v != nil {
			shown += " " + dotted(v)
		}
		have = append(have, shown+" ("+t.Path+")")
		switch {
		case p.least != nil && v == nil:
			wrong = append(wrong, p.tool+" does not say its version")
		case p.least != nil && slices.Compare(v, p.least) < 0:
			wrong = append(wrong, fmt.Sprintf("%s is older than %s", shown, dotted(p.least)))
		case p.below != nil && slices.Compare(v, p.below) >= 0:
			wrong = append(wrong, fmt.Sprintf("%s is newer than %s.x, which it has to be", shown, dotted(p.least)))
		}
	}
	switch {
	case lack != nil:
		what := "plugins cannot be built in it here, for want of " + strings.Join(lack, " and ")
		if have != nil {
			what += "; there is " + strings.Join(have, ", ")
		}
		return Finding{Severity: Info, About: l.name, What: what, Fix: l.how}
	case wrong != nil:
		return Finding{Severity: Warning, About: l.name, What: strings.Join(wrong, "; ") + ": there is " + strings.Join(have, ", "), Fix: l.how}
	}
	return Finding{Severity: OK, About: l.name, What: strings.Join(have, ", ")}
}

// number finds the first version in a text.
var number = regexp.MustCompile(`[0-9]+(\.[0-9]+){1,3}`)

// versionIn reads the version in what a tool prints; nil = there is none.
func versionIn(text string) (v []int) {
	for _, n := range strings.Split(number.FindString(text), ".") {
		if i, err := strconv.Atoi(n); err == nil {
			v = append(v, i)
		}
	}
	return v
}

func dotted(v []int) string {
	parts := make([]string, len(v))
	for i, n := range v {
		parts[i] = strconv.Itoa(n)
	}
	return strings.Join(parts, ".")
}
