package watch

import (
	"crypto/sha256"
	"slices"
	"strings"
)

// State says what there is under a name.
type State uint8

// The states of a file or folder.
const (
	Missing    State = iota // nothing, for Grace at least
	Present                 // a content that rests
	Unreadable              // something that Err says is of no use
)

func (s State) String() string {
	switch s {
	case Missing:
		return "missing"
	case Present:
		return "present"
	}
	return "unreadable"
}

// Hash is the SHA-256 of a content.
type Hash [sha256.Size]byte

// File is what is known of a file.
type File struct {
	State State
	Data  []byte // the content of a small file while it is Present; read only
	Hash  Hash   // of the content; while it is not Present, of the last one, or zero
	Size  int64  // in bytes, of the same content as Hash
	Err   error  // a *stream.Error while it is Unreadable, otherwise nil
}

func (f File) equal(g File) bool {
	switch {
	case f.State != g.State:
		return false
	case f.State == Present:
		return f.Hash == g.Hash
	case f.State == Unreadable:
		return f.Err.Error() == g.Err.Error()
	}
	return true
}

// Folder is what is known of a folder itself.
type Folder struct {
	State State
	Err   error // a *stream.Error while it is Unreadable, otherwise nil
}

// Snapshot is what there is at one time. Nobody changes it, nor what it holds.
// The zero Snapshot is from before the first look.
type Snapshot struct {
	// Files has each file that was named, and each that was found in a folder,
	// under Path or Path joined with its name. A file that left a folder stays
	// as Missing, as long as there are not too many of them. A name that is not
	// there is Missing, or a large file that does not rest yet.
	Files map[string]File

	// Folders has each folder that was named, under its Path.
	Folders map[string]Folder

	serial uint64 // from 1
}

// Change is a file in which two snapshots differ.
type Change struct {
	Name    string
	Was, Is File
}

// Content says whether there is a content now, and not the last one before.
func (c Change) Content() bool { return c.Is.State == Present && c.Is.Hash != c.Was.Hash }

// Since lists the files in which a snapshot differs from an older one, by name.
func (s Snapshot) Since(was Snapshot) []Change {
	var changes []Change
	for name, f := range s.Files {
		if c := (Change{Name: name, Was: was.Files[name], Is: f}); !c.Is.equal(c.Was) {
			changes = append(changes, c)
		}
	}
	for name, f := range was.Files { // forgotten, so long have they been gone
		if _, ok := s.Files[name]; !ok && f.State != Missing {
			changes = append(changes, Change{Name: name, Was: f, Is: File{Hash: f.Hash, Size: f.Size}})
		}
	}
	slices.SortFunc(changes, func(a, b Change) int { return strings.Compare(a.Name, b.Name) })
	return changes
}

// differs says whether anything is otherwise than in an older snapshot.
func (s Snapshot) differs(was Snapshot) bool {
	if was.serial == 0 || len(s.Since(was)) > 0 {
		return true
	}
	for name, f := range s.Folders {
		if g := was.Folders[name]; !(File{State: f.State, Err: f.Err}).equal(File{State: g.State, Err: g.Err}) {
			return true
		}
	}
	return false
}
