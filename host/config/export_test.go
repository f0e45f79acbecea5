package config

import (
	"reflect"
	"strings"
)

// CheckpointKeys is a Checkpoint as it is written.
var CheckpointKeys = reflect.TypeFor[checkpointKeys]()

// Bare is a process without the places of its values, to compare it.
func Bare(p *Process) *Process {
	bare := *p
	bare.places = places{}
	return &bare
}

// ProcessPaths lists the settings of the process by their paths; a secret is one, however
// it is said where it is.
func ProcessPaths() (paths []string) {
	for _, f := range processFields() {
		if n := len(f.keys) - 1; len(f.keys) == 3 && f.keys[0] == "s3" && (f.keys[n] == "env" || f.keys[n] == "file") {
			f.keys = f.keys[:n]
		}
		paths = append(paths, strings.Join(f.keys, "."))
	}
	return paths
}

// Aggregates lists the kinds of aggregates.
func Aggregates() []string { return aggregates() }

// Roles lists what a vertex can be.
func Roles() []string { return []string{roleSource, roleUDF, roleAggregate, roleJoin, roleSink} }

// RoleKeys lists the keys of a vertex that only some roles have, with these.
func RoleKeys() map[string][]string {
	keys := make(map[string][]string)
	for _, k := range roleKeys() {
		keys[k.key] = k.roles
	}
	return keys
}
