package meter_test

import (
	"strconv"
	"strings"
)

// value is an argument or a result, as a script has it.
type value struct {
	Type     string
	LaneType string `json:"lane_type"`
	Value    any    // a string, or one for each lane
}

// bits returns a value as wazero takes it: a vector is two.
func (v value) bits() []uint64 {
	switch text := v.Value.(type) {
	case string:
		return []uint64{number(v.Type, text)}
	case []any:
		var out [2]uint64
		width := 128 / len(text)
		for i, lane := range text {
			out[i*width/64] |= number(v.LaneType, lane.(string)) << (i * width % 64)
		}
		return out[:]
	}
	return []uint64{0}
}

// number parses a number of a type. Extern references are one more, as null is 0.
func number(kind, text string) uint64 {
	if text == "null" {
		return 0
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		panic("the suite has the number " + text)
	}
	if kind == "externref" {
		n++
	}
	return n
}

// matches compares results with what a script expects.
func matches(expected []value, results []uint64) bool {
	for _, e := range expected {
		lanes, ok := e.Value.([]any)
		kind := e.LaneType
		if !ok {
			lanes, kind = []any{e.Value}, e.Type
		}
		width := 128 / len(lanes)
		words := 2
		if !ok {
			width, words = 64, 1
		}
		if len(results) < words {
			return false
		}
		for i, lane := range lanes {
			got := results[i*width/64] >> (i * width % 64)
			if width < 64 {
				got &= 1<<width - 1
			}
			if !matchesLane(kind, lane, got) {
				return false
			}
		}
		results = results[words:]
	}
	return len(results) == 0
}

func matchesLane(kind string, want any, got uint64) bool {
	text, ok := want.(string)
	switch {
	case !ok, kind == "funcref" && text != "null": // any reference
		return got != 0
	case !strings.HasPrefix(text, "nan"):
		return got == number(kind, text)
	case kind == "f32":
		return got&0x7fc00000 == 0x7fc00000 && (text == "nan:arithmetic" || got&0x3fffff == 0)
	}
	return got&0x7ff8000000000000 == 0x7ff8000000000000 && (text == "nan:arithmetic" || got&0x7ffffffffffff == 0)
}
