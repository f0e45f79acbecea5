package examples_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// document is a file in Markdown, as far as it says what to run and what comes of it.
type document struct {
	name     string   // its path in the repository
	commands []string // its blocks of kind sh, which are run
	foreign  []string // its blocks without a kind that want another machine, as foreignFirst tells
	samples  []string // lines of its blocks of kind json: of files that are written
	promises []promise
}

// promise says how many lines a file has, in an example's folder out.
type promise struct {
	file  string
	lines int
}

var (
	fence = regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$")
	// foreignFirst begins the first line of a block that installs something or asks a service of
	// the system.
	foreignFirst = regexp.MustCompile(`^(sudo|docker|sha256sum) `)
	// runnable begins a line that belongs into a block of kind sh.
	runnable = regexp.MustCompile(`(?m)^(\$ |(bin/)?wasmill [a-z]+ [^(]|make |go (run|build|test) |curl |sh |cd |git |sudo |docker |systemctl |kubectl )`)
	promised = regexp.MustCompile("\\b(\\d[\\d,]*|three) (?:[a-z][a-z0-9 ]* )?in `(?:out/)?([a-z0-9-]+\\.(?:ndjson|log))`")
)

// readDocument reads a document, and reports commands that would not be run.
func readDocument(t *testing.T, name string) document {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", name))
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	d := document{name: name}
	for _, b := range fence.FindAllStringSubmatch(text, -1) {
		kind, content := b[1], b[2]
		switch {
		case kind == "sh":
			d.commands = append(d.commands, content)
		case kind == "json" && strings.HasPrefix(name, "examples/"):
			d.samples = append(d.samples, strings.Split(strings.TrimSpace(content), "\n")...)
		case kind == "" && foreignFirst.MatchString(content):
			d.foreign = append(d.foreign, content)
		case kind == "" && runnable.MatchString(content), kind == "bash", kind == "shell", kind == "console":
			t.Errorf("%s: this block has commands, but is not of kind sh:\n%s", name, content)
		}
	}
	if n := strings.Count(text, "\n```sh"); n != len(d.commands) {
		t.Errorf("%s has %d blocks of kind sh, of which %d are read", name, n, len(d.commands))
	}
	prose := strings.Join(strings.Fields(fence.ReplaceAllString(text, "")), " ")
	for _, p := range promised.FindAllStringSubmatch(prose, -1) {
		lines, err := strconv.Atoi(strings.ReplaceAll(strings.Replace(p[1], "three", "3", 1), ",", ""))
		if err != nil {
			t.Fatal(err)
		}
		d.promises = append(d.promises, promise{p[2], lines})
	}
	return d
}

// keeps checks what the document of an example says of the files in a folder.
func (d document) keeps(t *testing.T, out string) {
	t.Helper()
	var all strings.Builder
	for _, file := range glob(t, out, "*") {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(data)
	}
	for _, sample := range d.samples {
		pattern := strings.ReplaceAll(regexp.QuoteMeta(sample), "…", ".*")
		if !regexp.MustCompile("(?m)^" + pattern + "$").MatchString(all.String()) {
			t.Errorf("no file has the line %s", sample)
		}
	}
	for _, p := range d.promises {
		data, err := os.ReadFile(filepath.Join(out, p.file))
		if err != nil {
			t.Error(err)
			continue
		}
		if n := strings.Count(string(data), "\n"); n != p.lines {
			t.Errorf("%s has %d lines, not %d", p.file, n, p.lines)
		}
	}
}
