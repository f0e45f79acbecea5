package instance

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
)

// Binary is an executable of wasmill.
type Binary struct {
	Version string `json:"version"`
	SHA256  string `json:"sha256,omitempty"` // of the file, hex; empty = not known
	Path    string `json:"path,omitempty"`   // whole; empty = not known
}

// kinship is what one binary is to another.
type kinship int

const (
	same    kinship = iota // the same file, as far as can be told
	rebuilt                // another build of what has one version, or both are development builds
	other                  // another version
)

// kin compares two binaries. Hashes decide, where both are known. Who develops wasmill builds
// it all day, and each build has a version of its own, or all have one: such builds are
// another build, and not another version.
func (b Binary) kin(now Binary) kinship {
	known := b.SHA256 != "" && now.SHA256 != ""
	switch {
	case known && b.SHA256 == now.SHA256, !known && b.Version == now.Version:
		return same
	case b.Version == now.Version, !released(b.Version) && !released(now.Version):
		return rebuilt
	}
	return other
}

// The versions of releases, and those that the go command makes up for a commit, see
// go.dev/ref/mod#pseudo-versions.
const (
	releaseForm = `^v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$`
	pseudoForm  = `[-.]\d{14}-[0-9a-f]{12}$`
)

// released says whether a version is that of a release.
func released(version string) bool {
	return regexp.MustCompile(releaseForm).MatchString(version) && !regexp.MustCompile(pseudoForm).MatchString(version)
}

// String is what people read.
func (b Binary) String() string {
	text := "wasmill " + b.Version
	if b.SHA256 != "" {
		text += fmt.Sprintf(" (SHA-256 %.12s…)", b.SHA256)
	}
	return text
}

// binary is this one.
func (h *Home) binary() Binary {
	return Binary{Version: h.Version, SHA256: hashOf(h.Executable), Path: h.Executable}
}

// hashOf is the SHA-256 of a file; empty = it cannot be read.
func hashOf(name string) string {
	f, err := os.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return ""
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// resumes says how the instance goes on with a binary: the command, if that is still where
// it was.
func (i *Instance) resumes(b Binary) string {
	command := fmt.Sprintf("resume %s --home %s", i.Name, quoted(i.home.Dir))
	switch {
	case b.Path == "":
		return fmt.Sprintf("with version %s, wasmill %s goes on with it", b.Version, command)
	case b.SHA256 == "" || hashOf(b.Path) == b.SHA256:
		return fmt.Sprintf("%s %s goes on with %s", quoted(b.Path), command, b.Version)
	}
	return fmt.Sprintf("bring back %s, which is not at %s any more; its %s goes on with it", b, b.Path, command)
}

// quoted is a word of a command line.
func quoted(word string) string {
	if strings.ContainsAny(word, " \t\n\"'\\$&;()<>|*?[]#~`") {
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	return word
}
