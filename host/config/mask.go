package config

import (
	"bytes"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Masker takes what may be a secret out of texts that go to other people. It knows some
// secrets, and finds others by what they stand behind and by how they look. Configs have
// references in place of the secrets of wasmill, which stay; but params of plugins may have
// anything, and so may logs.
type Masker struct {
	known    []string // the longest first
	patterns []pattern
}

type pattern struct {
	find    *regexp.Regexp
	replace string
}

const (
	leastKnown = 4 // bytes of a secret that a config refers to; a shorter one would be found everywhere
	leastEnv   = 8 // bytes of the value of a variable whose name says that it is one
)

// secretWords are parts of names of what may be a secret, in small letters and without what
// stands between words, besides those of sensitive.
func secretWords() []string {
	return []string{"secret", "password", "passwd", "passphrase", "token", "credential", "accesskey", "apikey", "privatekey", "signingkey", "authorization", "cookie"}
}

// NewMasker makes one that knows the secrets given, and those in an environment, of KEY=value.
func NewMasker(env []string, known ...string) *Masker {
	m := &Masker{patterns: patterns()}
	for _, v := range env {
		if name, value, _ := strings.Cut(v, "="); len(value) >= leastEnv && (mayBeSecret(name) || strings.HasSuffix(name, "_KEY")) {
			known = append(known, value)
		}
	}
	for _, secret := range known {
		if len(secret) < leastKnown {
			continue
		}
		quoted, _ := json.Marshal(secret) // a string always can
		m.known = append(m.known, secret, url.QueryEscape(secret), strings.Trim(string(quoted), `"`))
	}
	slices.SortFunc(m.known, func(a, b string) int { return len(b) - len(a) })
	m.known = slices.Compact(m.known)
	return m
}

func patterns() []pattern {
	var named []string
	for _, word := range secretWords() {
		for _, two := range []string{"access", "api", "private", "signing"} {
			word = strings.Replace(word, two+"key", two+"[-_. ]?key", 1)
		}
		named = append(named, word)
	}
	name := `((?i:[\w.\[\]-]*(?:` + strings.Join(named, "|") + `)[\w.\[\]-]*)\\?["']?\s*[:=]\s*)`
	return []pattern{
		{regexp.MustCompile(`(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)`), mask},
		{regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://)[^\s"'<>@]*@`), "${1}" + mask + "@"},
		{regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://)[^\s/@:"']+:[^\s/@"']*[^\s/@"'0-9][^\s/@"']*$`), "${1}" + mask}, // which is cut off
		{regexp.MustCompile(`\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b`), mask},
		{regexp.MustCompile(`\b((?i:bearer|basic)) +[A-Za-z0-9._~+/=-]{6,}`), "${1} " + mask},
		{regexp.MustCompile(name + `(\\?")(?:[^"\\]|\\[^"])*(\\?")`), "${1}${2}" + mask + "${3}"},
		{regexp.MustCompile(name + `'[^']*'`), "${1}'" + mask + "'"},
		{regexp.MustCompile(name + `[^\s,;&|"'\\\[\]{}()>*]+`), "${1}" + mask},
	}
}

// Text masks any text.
func (m *Masker) Text(text string) string {
	for _, secret := range m.known {
		text = strings.ReplaceAll(text, secret, mask)
	}
	for _, p := range m.patterns {
		text = p.find.ReplaceAllString(text, p.replace)
	}
	return text
}

// YAML masks a config, in its comments, too. What is no YAML is masked by lines: all that
// may belong to a secret's name.
func (m *Masker) YAML(data []byte) string {
	node, wrong := parse(data)
	if wrong != nil || node == nil {
		return m.lines(string(data))
	}
	m.node(node)
	var out bytes.Buffer
	e := yaml.NewEncoder(&out)
	e.SetIndent(2)
	if e.Encode(node) != nil || e.Close() != nil {
		return m.lines(string(data))
	}
	return m.Text(out.String())
}

// Setting masks the value of a setting with a path, which may be YAML.
func (m *Masker) Setting(path, value string) string {
	last := path[strings.LastIndexAny(path, "._")+1:]
	switch reference := strings.EqualFold(last, "env") || strings.EqualFold(last, "file"); {
	case mayBeSecret(path) && !reference:
		return mask
	case strings.ContainsAny(value, "{[:"):
		return strings.TrimSuffix(m.YAML([]byte(value)), "\n")
	}
	return m.Text(value)
}

func mayBeSecret(name string) bool {
	plain := strings.NewReplacer("_", "", "-", "", ".", "", " ", "").Replace(strings.ToLower(name))
	return sensitive(name, "") || slices.ContainsFunc(secretWords(), func(word string) bool { return strings.Contains(plain, word) })
}

// node masks what is below a node of YAML.
func (m *Masker) node(n *yaml.Node) {
	for _, comment := range []*string{&n.HeadComment, &n.LineComment, &n.FootComment} {
		*comment = m.lines(*comment)
	}
	switch n.Kind {
	case yaml.ScalarNode:
		if masked := m.Text(n.Value); masked != n.Value {
			n.Value = masked
		}
	case yaml.MappingNode:
		named := "" // what a list of names and values calls this
		for i := 0; i+1 < len(n.Content); i += 2 {
			if key := strings.ToLower(n.Content[i].Value); key == "name" || key == "key" {
				named += n.Content[i+1].Value + " "
			}
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			if mayBeSecret(key.Value) || strings.EqualFold(key.Value, "value") && mayBeSecret(named) {
				m.hide(value)
			}
			m.node(key)
			m.node(value)
		}
	default:
		for _, below := range n.Content {
			m.node(below)
		}
	}
}

// hide masks all scalars below a node, but for references to secrets.
func (m *Masker) hide(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode {
		if n.Tag != "!!null" {
			n.SetString(mask)
			n.Style = 0
		}
		return
	}
	for i, below := range n.Content {
		if n.Kind == yaml.MappingNode && (i%2 == 0 || n.Content[i-1].Value == "env" || n.Content[i-1].Value == "file") {
			continue
		}
		m.hide(below)
	}
}

// lines masks what a line says behind the name of a secret, and the lines below it that are
// indented more.
func (m *Masker) lines(text string) string {
	var out strings.Builder
	hidden := -1 // the indent of a line that is masked; -1 = none is
	for line := range strings.Lines(text) {
		words := strings.TrimLeft(line, " \t#-")
		indent := len(line) - len(words)
		if hidden >= 0 && (strings.TrimSpace(words) == "" || indent > hidden) {
			continue
		}
		hidden = -1
		if at := secretIn(line); at >= 0 {
			hidden = indent
			line = line[:at] + " " + mask + "\n"
		}
		out.WriteString(line)
	}
	return m.Text(out.String())
}

// secretIn is where the name of a secret in a line ends, with the colon or = behind it; -1 =
// nowhere.
func secretIn(line string) int {
	start := 0
	for i, c := range line {
		switch c {
		case ':', '=':
			if mayBeSecret(line[start:i]) {
				return i + 1
			}
			start = i + 1
		case ',', '{', ';':
			start = i + 1
		}
	}
	return -1
}
