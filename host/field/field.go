package field

import (
	"encoding/json"
	"fmt"
	"strings"
	"unsafe"

	"github.com/tidwall/gjson"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/host/stream"
)

// Spec names a part of a record; exactly one field is set.
type Spec struct {
	// JSON is a path into a JSON value: names of members and indexes of elements,
	// from 0, with dots between them. A backslash takes the meaning of the next
	// character; no other character has one.
	JSON   string
	Header string // the first header with this name
	Key    bool   // the key of the record
}

func (s Spec) String() string {
	switch {
	case s.Key:
		return "the key"
	case s.Header != "":
		return fmt.Sprintf("header %q", s.Header)
	default:
		return fmt.Sprintf("JSON field %q", s.JSON)
	}
}

// Extractor is a compiled Spec.
type Extractor struct {
	spec Spec
	path string // for gjson
}

// Parse compiles a spec. An error is a *stream.Error with code config-value and
// no place.
func Parse(s Spec) (*Extractor, error) {
	set := 0
	for _, is := range []bool{s.JSON != "", s.Header != "", s.Key} {
		if is {
			set++
		}
	}
	if set != 1 {
		return nil, &stream.Error{
			Code: stream.ConfigValue,
			Why:  fmt.Sprintf("a field of a record is named in %d ways instead of one", set),
			Fix:  "write one of {json: path}, {header: name} and {key: true}",
		}
	}
	path, ok := compile(s.JSON)
	if s.JSON != "" && !ok {
		return nil, &stream.Error{
			Code: stream.ConfigValue,
			Why:  fmt.Sprintf("JSON path %q has an empty name or ends with a backslash", s.JSON),
			Fix:  `write names with a dot between them, such as user.id; a dot that belongs to a name is \.`,
		}
	}
	return &Extractor{s, path}, nil
}

// compile turns our paths into those of gjson, where many more characters mean
// something: wildcards, queries, modifiers, pipes, literals.
func compile(path string) (string, bool) {
	var out strings.Builder
	name := 0 // bytes of the current name
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c == '.' {
			if name == 0 {
				return "", false
			}
			out.WriteByte('.')
			name = 0
			continue
		}
		if c == '\\' {
			if i++; i == len(path) {
				return "", false
			}
			c = path[i]
		}
		// A name with an escape costs gjson an allocation per record, so @timestamp
		// goes without.
		special := strings.IndexByte(`\.*?|#![{`, c) >= 0
		if c == '@' && name == 0 {
			end := i + 1
			for end < len(path) && strings.IndexByte(".:|", path[end]) < 0 {
				end++
			}
			special = gjson.ModifierExists(path[i+1:end], nil)
		}
		if special {
			out.WriteByte('\\')
		}
		out.WriteByte(c)
		name++
	}
	return out.String(), name > 0
}

// Bytes returns the part of record i, which points into the batch, valid like
// its Arena; false if the record has none. An empty key is none, an empty header
// or string is one.
//
// Of a JSON value it returns a string without its quotes and any other field as
// it is written: numbers, true, false, objects, arrays. A null is none, and so is
// everything in a value that is not an object or array. Of members with the same
// name the first counts. A string with escapes is the only one to be copied, and
// is none if they are wrong.
func (e *Extractor) Bytes(b *stream.Batch, i int) (v []byte, ok bool) {
	switch {
	case e.spec.Key:
		v = b.Key(i)
		return v, len(v) > 0
	case e.spec.Header != "":
		return abi.LookupHeader(b.Headers(i), e.spec.Header)
	}
	return e.member(b.Value(i))
}

// member returns the field of a JSON document.
func (e *Extractor) member(doc []byte) ([]byte, bool) {
	for len(doc) > 0 && (doc[0] == ' ' || doc[0] == '\n' || doc[0] == '\t' || doc[0] == '\r') {
		doc = doc[1:]
	}
	if len(doc) == 0 || doc[0] != '{' && doc[0] != '[' {
		return nil, false // gjson looks for the first brace instead
	}
	r := gjson.Get(text(doc), e.path)
	if r.Type == gjson.Null {
		return nil, false
	}
	raw := doc[r.Index : r.Index+len(r.Raw)]
	if r.Type != gjson.String {
		return raw, true
	}
	inner := raw[1 : len(raw)-1]
	if len(r.Str) == len(inner) { // an escape is longer than what it stands for
		return inner, true
	}
	var s string // gjson cuts a string off at a wrong escape
	if json.Unmarshal(raw, &s) != nil {
		return nil, false
	}
	return []byte(s), true
}

// text is b as a string for as long as b is not written to.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
