package abi

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Description is what a guest says of itself.
type Description struct {
	Name    string          `json:"name"`
	Version string          `json:"version,omitempty"`
	Kind    Kind            `json:"kind"`
	Params  json.RawMessage `json:"params,omitempty"` // a JSON Schema
	Tags    []string        `json:"tags,omitempty"`   // nil = not said
	Wants   []Capability    `json:"wants,omitempty"`
}

// maxDescription bounds what a guest can make the host parse, in bytes.
const maxDescription = 64 << 10

// ParseDescription reads and checks the answer of wasmill_describe.
func ParseDescription(data []byte) (Description, error) {
	var d Description
	if len(data) > maxDescription {
		return d, fmt.Errorf("description of %d bytes is over the limit of %d", len(data), maxDescription)
	}
	if err := json.Unmarshal(data, &d); err != nil {
		return d, fmt.Errorf("description is not JSON as in ABI.md §1: %w", err)
	}
	switch {
	case d.Name == "":
		return d, errors.New(`description lacks "name"`)
	case d.Kind == "":
		return d, errors.New(`description lacks "kind"`)
	case !slices.Contains(Kinds(), d.Kind):
		return d, fmt.Errorf("kind %q is not known to this host, which runs %q", d.Kind, Kinds())
	}
	return d, nil
}
