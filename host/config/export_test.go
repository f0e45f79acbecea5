package config

import "strings"

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
