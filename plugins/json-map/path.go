package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// path is the way to a value: names of members, and numbers of elements. It is written with
// dots between; in a name `\.` is a dot.
type path []string

func pathOf(text string) path {
	p := strings.Split(strings.ReplaceAll(text, `\.`, "\x00"), ".")
	for i := range p {
		p[i] = strings.ReplaceAll(p[i], "\x00", ".")
	}
	return p
}

func (p *path) UnmarshalText(text []byte) error {
	*p = pathOf(string(text))
	return nil
}

func (p path) String() string { return strings.Join(p, ".") }

// get returns the value there, and whether there is one.
func (p path) get(value any) (any, bool) {
	for _, name := range p {
		ok := false
		switch v := value.(type) {
		case map[string]any:
			value, ok = v[name]
		case []any:
			i, err := strconv.ParseUint(name, 10, 31)
			if ok = err == nil && int(i) < len(v); ok {
				value = v[i]
			}
		}
		if !ok {
			return nil, false
		}
	}
	return value, true
}

// put sets the value there, in objects that it makes where there are none.
func (p path) put(object map[string]any, value any) error {
	last := len(p) - 1
	for i, name := range p[:last] {
		if object[name] == nil {
			object[name] = map[string]any{}
		}
		next, ok := object[name].(map[string]any)
		if !ok {
			return fmt.Errorf("%s is kept, and no object for %s: drop it, or name another place", p[:i+1], p)
		}
		object = next
	}
	object[p[last]] = value
	return nil
}

// remove removes the member there, if there is one; an array keeps its elements.
func (p path) remove(object map[string]any) {
	parent, _ := p[:len(p)-1].get(object)
	if m, ok := parent.(map[string]any); ok {
		delete(m, p[len(p)-1])
	}
}

// strict decodes parameters, which may have no others.
func strict(text []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode(to)
}

// decode decodes a record, with numbers as they are written.
func decode(text []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(to); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("there is more behind it")
	}
	return nil
}
