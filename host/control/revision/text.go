package revision

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// title is the first line of each file. It names the format.
const title = "wasmill revision 1"

// maxContent bounds the content, in bytes, as config bounds a file.
const maxContent = 1 << 20

// maxHead bounds what is known of a revision, in bytes.
const maxHead = 4 << 10

// encode writes a revision as a file has it.
func encode(r Revision) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\nrevision: %d\nsha256: %s\ntime: %s\n%s: %s\nclass: %s\n\n", title, r.Number, Sum(r.Content), r.Time.UTC().Format(time.RFC3339Nano), origin, r.Origin, r.Class)
	b.Write(r.Content)
	return b.Bytes()
}

// decode reads what encode wrote. Anything else is an error, which says what is wrong.
func decode(data []byte) (r Revision, err error) {
	end := bytes.Index(data[:min(len(data), maxHead)], []byte("\n\n"))
	if end < 0 {
		return r, errors.New("it does not begin as a revision does")
	}
	lines := strings.Split(string(data[:end]), "\n")
	if lines[0] != title {
		return r, fmt.Errorf("its first line is not %q", title)
	}
	fields := [...]struct {
		key string
		set func(value string) error
	}{
		{"revision", func(v string) error {
			n, err := strconv.ParseUint(v, 10, 64)
			if r.Number = Number(n); err == nil && (n == 0 || v[0] == '0') {
				err = errors.New("it is no number from 1")
			}
			return err
		}},
		{"sha256", func(v string) error { r.SHA256 = v; return nil }},
		{"time", func(v string) (err error) {
			r.Time, err = time.Parse(time.RFC3339Nano, v)
			if err == nil && r.Time.UTC().Format(time.RFC3339Nano) != v {
				err = errors.New("it is not in UTC")
			}
			return err
		}},
		{origin, func(v string) error { r.Origin = Origin(v); return nil }},
		{"class", func(v string) error { r.Class = v; return nil }},
	}
	if len(lines) != len(fields)+1 {
		return r, fmt.Errorf("%d lines are before the content instead of %d", len(lines), len(fields)+1)
	}
	for i, f := range fields {
		value, ok := strings.CutPrefix(lines[i+1], f.key+": ")
		if !ok {
			return r, fmt.Errorf("line %d is not %s", i+2, f.key)
		}
		if err := f.set(value); err != nil {
			return r, fmt.Errorf("line %d: %w", i+2, err)
		}
	}
	r.Content = data[end+2:]
	switch sum := Sum(r.Content); {
	case len(r.Content) > maxContent:
		return r, errors.New("its content is too large")
	case sum != r.SHA256:
		return r, fmt.Errorf("the SHA-256 of its content is %.12s… and not %.12s…", sum, r.SHA256)
	}
	return r, nil
}
