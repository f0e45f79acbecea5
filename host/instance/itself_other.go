//go:build !linux

package instance

// itself is where a child finds the executable of this process. Another file may have taken
// its place meanwhile.
func itself(path string) string { return path }
