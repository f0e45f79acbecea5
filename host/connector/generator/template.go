package generator

import (
	"strconv"
	"strings"
	"time"
)

// segment is one part of a template. Exactly one of its fields is set, or none
// for {{seq}}.
type segment struct {
	text string
	rand int64    // numbers below it
	pick []string // one of them
	time bool
}

// fault is what is wrong with a template.
type fault struct{ why, fix string }

// parseTemplate cuts a template into segments.
func parseTemplate(text string) ([]segment, *fault) {
	var segments []segment
	for text != "" {
		before, rest, found := strings.Cut(text, "{{")
		if before != "" {
			segments = append(segments, segment{text: before})
		}
		if !found {
			break
		}
		token, after, closed := strings.Cut(rest, "}}")
		if !closed {
			return nil, &fault{"{{" + rest + " is not closed", "end it with }}"}
		}
		s, f := parseToken(token)
		if f != nil {
			f.why = "{{" + token + "}} " + f.why
			return nil, f
		}
		segments, text = append(segments, s), after
	}
	return segments, nil
}

func parseToken(token string) (segment, *fault) {
	words := strings.Fields(token)
	if len(words) == 0 {
		return segment{}, &fault{"is empty", "use seq, rand N, time or pick A B"}
	}
	name, args := words[0], words[1:]
	switch {
	case name != "seq" && name != "time" && name != "rand" && name != "pick":
		return segment{}, &fault{"is not known", "use seq, rand N, time or pick A B"}
	case (name == "seq" || name == "time") && len(args) > 0:
		return segment{}, &fault{"takes no argument", "write {{" + name + "}}"}
	case name == "pick" && len(args) == 0:
		return segment{}, &fault{"has nothing to pick from", "write {{pick red green blue}}"}
	case name == "pick":
		return segment{pick: args}, nil
	case name == "time":
		return segment{time: true}, nil
	case name == "seq":
		return segment{}, nil
	}
	if len(args) == 1 {
		if n, err := strconv.ParseInt(args[0], 10, 64); err == nil && n > 0 {
			return segment{rand: n}, nil
		}
	}
	return segment{}, &fault{"needs one whole number above 0", "write {{rand 100}} for 0 to 99"}
}

// template makes values from segments.
type template struct {
	seed     uint64
	segments []segment
	now      int64  // the time that clock is of
	clock    []byte // in RFC 3339
}

// append adds the value of record n.
func (t *template) append(dst []byte, n uint64, now int64) []byte {
	r := randomFor(t.seed, n)
	for i := range t.segments {
		switch s := &t.segments[i]; {
		case s.text != "":
			dst = append(dst, s.text...)
		case s.rand != 0:
			dst = strconv.AppendInt(dst, r.below(s.rand), 10)
		case s.pick != nil:
			dst = append(dst, s.pick[r.below(int64(len(s.pick)))]...)
		case s.time:
			if now != t.now || t.clock == nil {
				t.now, t.clock = now, time.Unix(0, now).UTC().AppendFormat(t.clock[:0], time.RFC3339Nano)
			}
			dst = append(dst, t.clock...)
		default:
			dst = strconv.AppendUint(dst, n, 10)
		}
	}
	return dst
}

// bound returns the most bytes that append can add.
func (t *template) bound() int {
	const number, clock = 20, len("2006-01-02T15:04:05.999999999Z")
	most := 0
	for _, s := range t.segments {
		size := max(len(s.text), number)
		if s.time {
			size = clock
		}
		for _, word := range s.pick {
			size = max(size, len(word))
		}
		most += size
	}
	return most
}
