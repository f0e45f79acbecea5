package config

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/wasmill/wasmill/host/stream"
	"go.yaml.in/yaml/v3"
)

// parse reads the one document of a file. It returns nil for a file without
// any, and an error for text that is not YAML.
func parse(data []byte) (*yaml.Node, *syntaxError) {
	if at, bad := invalidUTF8(data); bad {
		line, col := position(data, at)
		return nil, &syntaxError{line, col, "the text is not UTF-8", "save the file as UTF-8"}
	}
	docs := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	if err := docs.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, locate(data, err)
	}
	switch err := docs.Decode(&second); {
	case err == nil:
		return nil, &syntaxError{second.Line, second.Column, "a second document starts here", "keep one document per file, without --- in between"}
	case !errors.Is(err, io.EOF):
		return nil, locate(data, err)
	case len(doc.Content) != 1:
		return nil, nil
	}
	return doc.Content[0], nil
}

// syntaxError says where text stops being YAML.
type syntaxError struct {
	line, col int
	why, fix  string
}

func invalidUTF8(data []byte) (at int, bad bool) {
	for at < len(data) {
		r, size := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && size == 1 {
			return at, true
		}
		at += size
	}
	return 0, false
}

// position turns an offset into a line and a column of runes, both from 1.
func position(data []byte, at int) (line, col int) {
	before := data[:at]
	start := bytes.LastIndexByte(before, '\n') + 1
	return bytes.Count(before, []byte("\n")) + 1, utf8.RuneCount(before[start:]) + 1
}

// locate finds the line that an error of the YAML parser is about. The parser
// names the start of the surrounding block, or no line at all; so the text is
// cut shorter from where the parser stopped reading, as long as it fails in
// the same way.
func locate(data []byte, err error) *syntaxError {
	const most = 4 << 20 // bytes parsed again
	why := message(err)
	end := stopped(data)
	for work := 0; work < most; work += end {
		cut := bytes.LastIndexByte(bytes.TrimRight(data[:end], "\n"), '\n') + 1
		if cut == 0 || message(parseAll(bytes.NewReader(data[:cut]))) != why {
			break
		}
		end = cut
	}
	start := bytes.LastIndexByte(bytes.TrimRight(data[:end], "\n"), '\n') + 1
	text := data[start:]
	if eol := bytes.IndexByte(text, '\n'); eol >= 0 {
		text = text[:eol]
	}
	indent := len(text) - len(bytes.TrimLeft(text, " "))
	line, col := position(data, start+indent)
	if indent < len(text) && text[indent] == '\t' {
		return &syntaxError{line, col, "a tab is used to indent", "indent with spaces"}
	}
	return &syntaxError{line, col, why, remedy(why)}
}

// stopped returns how much the parser reads before it fails.
func stopped(data []byte) int {
	r := &countingReader{data: data}
	_ = parseAll(r)
	return r.n
}

// countingReader gives bytes out one by one, so that what was read is what
// was needed.
type countingReader struct {
	data []byte
	n    int
}

func (r *countingReader) Read(p []byte) (int, error) {
	if r.n == len(r.data) {
		return 0, io.EOF
	}
	n := copy(p[:min(1, len(p))], r.data[r.n:])
	r.n += n
	return n, nil
}

func parseAll(r io.Reader) error {
	docs := yaml.NewDecoder(r)
	for {
		var doc yaml.Node
		if err := docs.Decode(&doc); err != nil {
			return err
		}
	}
}

// message is what the YAML parser says, without its idea of the place.
func message(err error) string {
	s := strings.TrimPrefix(err.Error(), "yaml: ")
	if line, rest, ok := strings.Cut(s, ": "); ok && strings.HasPrefix(line, "line ") {
		return rest
	}
	return s
}

// remedy says what usually helps against a message of the YAML parser.
func remedy(why string) string {
	for _, r := range [...]struct{ part, fix string }{
		{"'-' indicator", "align this line with the ones it belongs to"},
		{"expected key", "align this line with the ones it belongs to, and close what was opened above"},
		{"']'", "close the list that starts here or above with ]"},
		{"'}'", "close the map that starts here or above with }"},
		{"mapping values are not allowed", "quote a value that contains a colon, and align keys with their siblings"},
		{"could not find expected ':'", "write key: value, with a space after the colon"},
		{"end of stream", "close the quote that starts here or above"},
		{"cannot start any token", "quote a value that starts with a special character"},
		{"unknown anchor", "define the anchor above, or quote a value that starts with *"},
		{"escape", `write \\ for a backslash, or use single quotes`},
		{"control characters", "remove the character; in double quotes it can be written as \\x.."},
	} {
		if strings.Contains(why, r.part) {
			return r.fix
		}
	}
	return "check the syntax of this line and the one above"
}

// fault turns a syntax error into one of a layer.
func (e *syntaxError) fault(f *faults, from place) {
	if from.line > 0 {
		from.line, from.col = max(1, e.line), max(1, e.col)
	}
	f.add(from, from.root, stream.ConfigSyntax, e.why, e.fix)
}
