package doctor

import (
	"io/fs"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// Facts are what was looked at. A nil part was not.
type Facts struct {
	Tools     map[string]Tool // by name, as languages have them; one that is not there is not in it
	Settings  []*stream.Error // what is wrong with the settings of the process; without them no more is known
	Plugins   *Plugins
	Pipelines *Pipelines
	Data      *Data
	Cache     *Cache
	Admin     *Admin
	Stores    []Store
	Clock     *Clock
	Limits    *Limits
	Leftovers []Leftover
	Instances *Instances
}

// Tool is what guests are built with.
type Tool struct {
	Path    string
	Version string // what it says of itself, which has its version somewhere; empty = nothing
}

// Folder is one that a setting names.
type Folder struct {
	Path  string
	State FolderState
	Mode  fs.FileMode // permissions and the sticky bit
	Why   string      // of Unreadable
}

// FolderState says what is at the path of a folder.
type FolderState string

// The states.
const (
	There      FolderState = "there"
	Missing    FolderState = "missing"
	NoFolder   FolderState = "no folder" // but something else
	Unreadable FolderState = "unreadable"
)

// Plugins are those of the plugins folder.
type Plugins struct {
	Folder
	Lock   string // the file; empty = none is asked for
	Keys   int    // of which one has to have signed each
	Faults []*stream.Error
	All    []Plugin
}

// Plugin is one file.
type Plugin struct {
	Path                string
	Name, Version, Kind string // as it describes itself
	Faults              []*stream.Error
}

// Pipelines are those that were named, or those of the pipelines folder.
type Pipelines struct {
	Folder // zero = they were named
	All    []Pipeline
}

// Pipeline is one file.
type Pipeline struct {
	File, Name string
	Vertices   int
	Faults     []*stream.Error
}

// Data is data.dir.
type Data struct {
	Folder
	Owner       string // of the folder, if that is not the user of this process
	Write       string // why no file can be made and synced; empty = one was
	Free, Total uint64 // bytes of the disk; Total 0 = unknown
	Instance    string // that it belongs to; empty = to runs
	Faults      []*stream.Error
	Ahead       time.Duration // of the clock of the disk before ours
}

// Cache is cache.dir.
type Cache struct {
	Folder
	Faults []*stream.Error // why compiled plugins are not kept
}

// Admin is where operators find the process.
type Admin struct {
	Address string // empty = nowhere
	Others  bool   // there are other addresses if that is taken
	Taken   Taken
	Why     string // of Blocked
	Token   *Token // nil = none is needed
}

// Taken says who is at an address.
type Taken string

// Who may be.
const (
	Free     Taken = "free"
	Own      Taken = "own"      // a wasmill that has the token
	Another  Taken = "another"  // a wasmill that has not
	Stranger Taken = "stranger" // another program
	Stale    Taken = "stale"    // a socket that a process has left
	Blocked  Taken = "blocked"  // it cannot be listened on
)

// Token is the file of it.
type Token struct {
	File  string
	There bool
	Mode  fs.FileMode // permissions
	Fault *stream.Error
}

// Store is where a pipeline has its checkpoints.
type Store struct {
	Pipeline, Storage string
	Folder            string // that the first start makes; empty = it is there, or it is a bucket
	Kept              int    // checkpoints
	Faults            []*stream.Error
	Ahead             time.Duration // of its clock before ours; 0 = it is the same, or unknown
}

// Clock is that of the machine.
type Clock struct {
	Now        time.Time
	Wall, Mono time.Duration // what went by while all was looked at, by both clocks
}

// Limits are those of the process. 0 = there is none, or it is not known.
type Limits struct {
	Files            uint64  // open files
	Memory           int64   // bytes, of its cgroup
	Budget           int64   // bytes, of memory.budget
	CPUs             float64 // that its cgroup may use
	Procs            int     // GOMAXPROCS
	Watches, Watcher int     // of inotify, for the user
}

// Leftover is a file or folder that is half made.
type Leftover struct {
	Path  string
	Age   time.Duration
	Bytes int64
}

// Instances are those in the background.
type Instances struct {
	Home   string
	Faults []*stream.Error
	All    []Instance
}

// Instance is one of them.
type Instance struct {
	Name, State, Reason string
	Failed              bool
	Faults              []*stream.Error
}
