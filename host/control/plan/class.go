package plan

import "slices"

// Class says what it takes to apply a change. A higher one does all that lower ones do.
type Class int

// The classes, from the lowest.
const (
	None    Class = iota // there is nothing to apply
	Live                 // applied while everything runs
	Vertex               // a vertex is swapped in place, the others run on
	Graph                // a checkpoint, then a new generation of the graph restored from it
	Restart              // not while the process runs
)

// String implements fmt.Stringer.
func (c Class) String() string {
	return [...]string{"none", "live", "vertex", "graph", "restart"}[c]
}

// MarshalText writes the class in JSON.
func (c Class) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// Field is the class of a field of the config.
type Field struct {
	Field string `json:"field"` // as config.Value has it
	Class Class  `json:"class"` // of a change of its value
	Note  string `json:"note,omitempty"`
}

// Fields lists the classes of all fields, in the order of the config.
func Fields() []Field { return slices.Clone(table) }

// classOf returns the class of a field. One that is not in the table cannot be applied.
func classOf(field string) Class {
	for _, f := range table {
		if f.Field == field {
			return f.Class
		}
	}
	return Restart
}
