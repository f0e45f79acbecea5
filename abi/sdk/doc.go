// Package sdk has the guest SDKs as they are written into a new project, so that it needs
// no registry and no network. It starts no goroutine and has no function.
//
//	c/ rust/ go/ zig/ assemblyscript/ ─ embedded ─▶ Files ─▶ wasmill new: the folder of a language
//
// An SDK says what it is in its own first file, which may be copied alone: so the one for Go
// has no doc.go.
package sdk
