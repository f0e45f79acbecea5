package doctor

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// told are findings as lines: how bad, about what, what (its beginning is enough), [code] and
// the repair.
func told(all []Finding) (lines []string) {
	for _, f := range all {
		line := fmt.Sprintf("%s %s: %s", f.Severity, f.About, f.What)
		if f.Code != "" {
			line += " [" + string(f.Code) + "]"
		}
		if f.Repair != nil {
			line += " | " + f.Repair.String()
		}
		lines = append(lines, line)
	}
	return lines
}

func there(mode fs.FileMode) Folder { return Folder{Path: "d", State: There, Mode: mode} }

// wrong is an error of elsewhere.
func wrong(code stream.Code, where, why string) []*stream.Error {
	return []*stream.Error{{Code: code, Where: where, Why: why, Fix: "mend it"}}
}

var bad = wrong(stream.PluginNotWasm, "d/x.wasm", "is not a WebAssembly file")

func tools(versions ...string) map[string]Tool {
	all := make(map[string]Tool)
	for _, v := range versions {
		name, version, _ := strings.Cut(v, "=")
		all[name] = Tool{Path: "/bin/" + name, Version: version}
	}
	return all
}

// about leaves the findings about one thing.
func about(what string, all []Finding) (some []Finding) {
	for _, f := range all {
		if f.About == what {
			some = append(some, f)
		}
	}
	return some
}

func TestFindings(t *testing.T) {
	now := time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name  string
		facts Facts
		about string // leaves out others; empty = none
		want  []string
	}{
		{"nothing was looked at", Facts{}, "", nil},
		{"settings that cannot be read", Facts{Settings: []*stream.Error{{Code: stream.ConfigUnknownKey, Where: "wasmill.yaml:1:1", Why: `"log.levl" is not a key here`, Fix: "did you mean level?"}}}, "", []string{`error settings: wasmill.yaml:1:1: "log.levl" is not a key here [config-unknown-key]`}},

		{"Go is new enough", Facts{Tools: tools("go=go version go1.26.8 linux/amd64")}, "Go", []string{"ok Go: go 1.26.8 (/bin/go)"}},
		{"Go is the oldest that will do", Facts{Tools: tools("go=go version go1.24 linux/amd64")}, "Go", []string{"ok Go: go 1.24 (/bin/go)"}},
		{"Go is too old", Facts{Tools: tools("go=go version go1.23.9 linux/amd64")}, "Go", []string{"warning Go: go 1.23.9 is older than 1.24: there is go 1.23.9 (/bin/go)"}},
		{"Go is broken", Facts{Tools: tools("go=")}, "Go", []string{"warning Go: go does not say its version: there is go (/bin/go)"}},
		{"there is no Zig", Facts{Tools: tools()}, "Zig", []string{"info Zig: plugins cannot be built in it here, for want of zig"}},
		{"Zig is too new", Facts{Tools: tools("zig=0.18.0-dev.12+abc")}, "Zig", []string{"warning Zig: zig 0.18.0 is newer than 0.17.x, which it has to be: there is zig 0.18.0 (/bin/zig)"}},
		{"Zig is right", Facts{Tools: tools("zig=0.17.3")}, "Zig", []string{"ok Zig: zig 0.17.3 (/bin/zig)"}},
		{"clang without its linker", Facts{Tools: tools("clang=Debian clang version 14.0.6")}, "C", []string{"info C: plugins cannot be built in it here, for want of wasm-ld; there is clang 14.0.6 (/bin/clang)"}},
		{"rustc without its target", Facts{Tools: tools("rustc=rustc 1.95.0 (abc 2026-01-01)")}, "Rust", []string{"info Rust: plugins cannot be built in it here, for want of wasm32-unknown-unknown; there is rustc 1.95.0 (/bin/rustc)"}},
		{"rustc with its target", Facts{Tools: tools("rustc=rustc 1.95.0 (abc 2026-01-01)", RustTarget+"=")}, "Rust", []string{"ok Rust: rustc 1.95.0 (/bin/rustc), wasm32-unknown-unknown (/bin/wasm32-unknown-unknown)"}},
		{"asc without node", Facts{Tools: tools("asc=Version 0.28.20")}, "AssemblyScript", []string{"info AssemblyScript: plugins cannot be built in it here, for want of node; there is asc 0.28.20 (/bin/asc)"}},

		{"no plugins folder", Facts{Plugins: &Plugins{Folder: Folder{Path: "d", State: Missing}}}, "", []string{"warning plugins.dir: there is no folder d, so no plugin can be loaded | make the folder d, with mode 0755"}},
		{"a file for plugins folder", Facts{Plugins: &Plugins{Folder: Folder{Path: "d", State: NoFolder}}}, "", []string{"error plugins.dir: d is no folder [plugin-file]"}},
		{"a plugins folder that cannot be read", Facts{Plugins: &Plugins{Folder: Folder{Path: "d", State: Unreadable, Why: "permission denied"}}}, "", []string{"error plugins.dir: d cannot be read: permission denied [plugin-file]"}},
		{"a plugins folder of everybody", Facts{Plugins: &Plugins{Folder: there(0o777)}}, "", []string{"error plugins.dir: everybody on this machine can put plugins into d [plugin-name]", "ok plugins.dir: 0 of 0 plugins in d can be loaded; any that keeps the contract is let in"}},
		{"a plugins folder of a group", Facts{Plugins: &Plugins{Folder: there(0o775), Lock: "plugins.lock"}}, "", []string{"warning plugins.dir: others can put plugins into d: its mode is 0775", "ok plugins.dir: 0 of 0 plugins in d can be loaded; those are let in that plugins.lock names"}},
		{"a plugin that cannot be loaded", Facts{Plugins: &Plugins{Folder: there(0o755), Keys: 2, All: []Plugin{{Path: "d/x.wasm", Faults: bad}, {Path: "d/y.wasm", Name: "y", Version: "1.0.0", Kind: "map"}}}}, "", []string{
			"error d/x.wasm: is not a WebAssembly file [plugin-not-wasm]", "ok d/y.wasm: y 1.0.0, of kind map", "ok plugins.dir: 1 of 2 plugins in d can be loaded; those are let in that one of 2 keys has signed"}},
		{"a plugin in quarantine", Facts{Plugins: &Plugins{Folder: there(0o755), All: []Plugin{{Path: "d/x.wasm", Faults: wrong(stream.PluginQuarantined, "d/x.wasm", "is in quarantine")}}}}, "d/x.wasm", []string{"error d/x.wasm: is in quarantine [plugin-quarantined]"}},
		{"a key that cannot be read", Facts{Plugins: &Plugins{Folder: there(0o755), Lock: "l", Keys: 1, Faults: wrong(stream.ConfigValue, "k", "no key")}}, "", []string{"error plugins.dir: k: no key [config-value]", "ok plugins.dir: 0 of 0 plugins in d can be loaded; those are let in that l names and one of 1 keys has signed"}},

		{"no pipelines folder", Facts{Pipelines: &Pipelines{Folder: Folder{Path: "d", State: Missing}}}, "", []string{"info pipelines.dir: there is no folder d; without it wasmill run wants pipelines to be named | make the folder d, with mode 0755"}},
		{"an empty pipelines folder", Facts{Pipelines: &Pipelines{Folder: there(0o755)}}, "", []string{"info pipelines.dir: there is no pipeline in d"}},
		{"a pipeline that is wrong and one that is not", Facts{Pipelines: &Pipelines{All: []Pipeline{{File: "p.yaml", Faults: bad}, {File: "q.yaml", Name: "q", Vertices: 3}}}}, "", []string{"error p.yaml: d/x.wasm: is not a WebAssembly file [plugin-not-wasm]", "ok q.yaml: pipeline q is valid, with 3 vertices"}},

		{"no data.dir", Facts{Data: &Data{Folder: Folder{Path: "d", State: Missing}}}, "", []string{"info data.dir: there is no folder d; wasmill run makes it | make the folder d, with mode 0700"}},
		{"a data.dir that is well", Facts{Data: &Data{Folder: there(0o700), Free: 5 << 30, Total: 10 << 30}}, "", []string{"ok data.dir: d can be written and synced, and is that of runs; 5.0 GiB are free"}},
		{"a data.dir that cannot be written", Facts{Data: &Data{Folder: there(0o500), Write: "permission denied"}}, "", []string{"error data.dir: no file can be stored in d: permission denied [environment]"}},
		{"a data.dir of somebody else", Facts{Data: &Data{Folder: there(0o700), Owner: "eve"}}, "", []string{"warning data.dir: d belongs to eve, and not to who runs this"}},
		{"a data.dir that others can write", Facts{Data: &Data{Folder: there(0o770)}}, "", []string{"warning data.dir: others can write d: its mode is 0770"}},
		{"a full disk", Facts{Data: &Data{Folder: there(0o700), Free: 1 << 20, Total: 10 << 30}}, "", []string{"error data.dir: the disk of d is full: 1.0 MiB are free [environment]"}},
		{"a disk that is soon full", Facts{Data: &Data{Folder: there(0o700), Free: 200 << 20, Total: 10 << 30}}, "", []string{"warning data.dir: the disk of d is soon full: 200.0 MiB of 10.0 GiB are free"}},
		{"a small disk with room", Facts{Data: &Data{Folder: there(0o700), Free: 200 << 20, Total: 1 << 30}}, "", []string{"ok data.dir: d can be written and synced, and is that of runs; 200.0 MiB are free"}},
		{"a disk with another clock", Facts{Data: &Data{Folder: there(0o700), Ahead: -2 * time.Hour}}, "", []string{"warning data.dir: the clock of the disk of d is 2h0m0s behind that of this machine"}},
		{"a data.dir of an instance", Facts{Data: &Data{Folder: there(0o700), Instance: "i"}}, "", []string{"error data.dir: d belongs to instance i, so a run is refused [data-owned]"}},
		{"a data.dir whose owner is damaged", Facts{Data: &Data{Folder: there(0o700), Faults: wrong(stream.Environment, "data.dir", "the file d/instance is damaged")}}, "", []string{"error data.dir: the file d/instance is damaged [environment]"}},

		{"no cache.dir", Facts{Cache: &Cache{Folder: Folder{Path: "d", State: Missing}}}, "", []string{"info cache.dir: there is no folder d; wasmill makes it when it compiles a plugin | make the folder d, with mode 0700"}},
		{"a cache.dir that is well", Facts{Cache: &Cache{Folder: there(0o700)}}, "", []string{"ok cache.dir: compiled plugins are kept in d"}},
		{"a cache.dir that is not safe", Facts{Cache: &Cache{Folder: there(0o777), Faults: wrong(stream.Environment, "d/wasm", "can be written by others")}}, "", []string{"error cache.dir: d/wasm: can be written by others [environment]"}},

		{"no address", Facts{Admin: &Admin{}}, "", nil},
		{"a free address", Facts{Admin: &Admin{Address: "127.0.0.1:1", Taken: Free, Token: &Token{File: "t"}}}, "", []string{"ok admin.listen: 127.0.0.1:1 is free", "info admin.token.file: there is no t yet; wasmill run makes it"}},
		{"a run of ours at the address", Facts{Admin: &Admin{Address: "127.0.0.1:1", Taken: Own}}, "", []string{"ok admin.listen: a wasmill with these settings runs, and listens at 127.0.0.1:1"}},
		{"a wasmill with other settings at the address", Facts{Admin: &Admin{Address: "127.0.0.1:1", Taken: Another}}, "", []string{"error admin.listen: another wasmill listens at 127.0.0.1:1 [environment]"}},
		{"a program at the address", Facts{Admin: &Admin{Address: "127.0.0.1:1", Taken: Stranger}}, "", []string{"error admin.listen: another program listens at 127.0.0.1:1 [environment]"}},
		{"a program at the usual address", Facts{Admin: &Admin{Address: "127.0.0.1:7676", Taken: Stranger, Others: true}}, "", []string{"info admin.listen: another program listens at 127.0.0.1:7676, so a run takes another port"}},
		{"a socket that was left", Facts{Admin: &Admin{Address: "unix:data/s", Taken: Stale}}, "", []string{"warning admin.listen: a process that is gone has left the socket unix:data/s | remove the socket data/s"}},
		{"an address that may not be had", Facts{Admin: &Admin{Address: "127.0.0.1:80", Taken: Blocked, Why: "permission denied"}}, "", []string{"error admin.listen: nobody can listen at 127.0.0.1:80: permission denied [environment]"}},
		{"a token that others can read", Facts{Admin: &Admin{Token: &Token{File: "t", There: true, Mode: 0o644}}}, "", []string{"error admin.token.file: others can get at the token: the mode of t is 0644 [environment] | chmod 0600 t"}},
		{"a token that is none", Facts{Admin: &Admin{Token: &Token{File: "t", There: true, Mode: 0o600, Fault: wrong(stream.Environment, "t", "that is no token")[0]}}}, "", []string{"error admin.token.file: t: that is no token [environment]"}},
		{"a token that is well", Facts{Admin: &Admin{Token: &Token{File: "t", There: true, Mode: 0o400}}}, "", []string{"ok admin.token.file: t is for its owner alone"}},

		{"a store that is well", Facts{Stores: []Store{{Pipeline: "p", Storage: "s3://b/x", Kept: 3}}}, "", []string{"ok checkpoint.storage of p: s3://b/x tells writers apart, and can be written and read; checkpoints in it: 3"}},
		{"a store whose folder is not there", Facts{Stores: []Store{{Pipeline: "p", Storage: "file://./cp", Folder: "cp"}}}, "", []string{"info checkpoint.storage of p: there is no folder cp yet; the first start makes it | make the folder cp, with mode 0700"}},
		{"a store that cannot fence", Facts{Stores: []Store{{Pipeline: "p", Storage: "s3://b/x", Faults: wrong(stream.StoreNotAtomic, "w", "16 of 16 creates succeeded")}}}, "", []string{"error checkpoint.storage of p: w: 16 of 16 creates succeeded [store-not-atomic]"}},
		{"a store with another clock", Facts{Stores: []Store{{Pipeline: "p", Storage: "s3://b/x", Ahead: 16 * time.Minute}}}, "", []string{"error checkpoint.storage of p: the clock of s3://b/x is 16m0s ahead of that of this machine, for which it refuses requests [store-misconfigured]"}},
		{"a store with a clock that is somewhat off", Facts{Stores: []Store{{Pipeline: "p", Storage: "s3://b/x", Ahead: -2 * time.Minute}}}, "", []string{"warning checkpoint.storage of p: the clock of s3://b/x is 2m0s behind that of this machine"}},

		{"a clock that is well", Facts{Clock: &Clock{Now: now, Wall: time.Second, Mono: time.Second}}, "", []string{"ok clock: 2026-05-04T10:00:00Z, and it runs evenly"}},
		{"a clock that was never set", Facts{Clock: &Clock{Now: time.Unix(0, 0)}}, "", []string{"error clock: the clock says 1970-01-01T00:00:00Z [environment]"}},
		{"a clock that jumped", Facts{Clock: &Clock{Now: now, Wall: -time.Hour, Mono: time.Second}}, "", []string{"warning clock: the clock was set by -1h0m1s just now"}},
		{"time that goes back", Facts{Clock: &Clock{Now: now, Wall: -time.Second, Mono: -time.Second}}, "", []string{"error clock: the monotonic clock went back by 1s [environment]"}},

		{"limits that are not known", Facts{Limits: &Limits{Procs: 2}}, "", []string{"ok limits: open files, memory, processors (2) and watches are enough"}},
		{"limits that are enough", Facts{Limits: &Limits{Files: 1024, Memory: 1 << 30, Budget: 768 << 20, CPUs: 1.5, Procs: 2, Watches: 1024, Watcher: 16}}, "", []string{"ok limits: open files, memory, processors (2) and watches are enough"}},
		{"few open files", Facts{Limits: &Limits{Files: 256}}, "", []string{"warning open files: a process may have 256 files open: sources, sinks and guests need some each"}},
		{"guests that may have more than the cgroup", Facts{Limits: &Limits{Memory: 1 << 30, Budget: 1 << 30}}, "", []string{"warning memory.budget: guests may have 1.0 GiB, and wasmill needs 256.0 MiB beside that, of the 1.0 GiB that the cgroup has"}},
		{"more threads than processors", Facts{Limits: &Limits{CPUs: 1.5, Procs: 8}}, "", []string{"warning GOMAXPROCS: it is 8, and the cgroup may use 1.5 processors: wasmill is stopped again and again"}},
		{"few watches", Facts{Limits: &Limits{Watches: 10, Watcher: 1}}, "", []string{"warning inotify: a user may watch 10 files", "warning inotify: a user may have 1 watchers, and each wasmill needs some"}},

		{"what a dead process has left", Facts{Leftovers: []Leftover{{Path: "d/.tmp-X", Age: 2 * time.Hour, Bytes: 12}, {Path: "d/.tmp-Y", Age: 59 * time.Minute}}}, "", []string{"warning d/.tmp-X: a process was killed while it made this, 2h0m0s ago: 12 bytes | remove d/.tmp-X"}},

		{"an instance that has failed", Facts{Instances: &Instances{Home: "h", All: []Instance{{Name: "i", State: "failed", Failed: true, Reason: "its process is gone"}, {Name: "j", State: "running"}}}}, "", []string{"error instance i: it has failed: its process is gone [instance-failed]", "ok instances: 1 in h are as they were told to be"}},
		{"an instance that is damaged", Facts{Instances: &Instances{Home: "h", All: []Instance{{Name: "i", Faults: wrong(stream.InstanceDamaged, "h/i/spec.json", "the file is damaged")}}}}, "", []string{"error instance i: h/i/spec.json: the file is damaged [instance-damaged]"}},
		{"instances that cannot be listed", Facts{Instances: &Instances{Home: "h", Faults: wrong(stream.Environment, "h", "permission denied")}}, "", []string{"error h: permission denied [environment]"}},
		{"no instances", Facts{Instances: &Instances{Home: "h"}}, "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			all := Findings(c.facts)
			if c.about != "" {
				all = about(c.about, all)
			}
			if got, want := strings.Join(told(all), "\n"), strings.Join(c.want, "\n"); got != want {
				t.Errorf("it says\n%s\nand not\n%s", got, want)
			}
			for _, f := range all {
				if (f.Severity == Warning || f.Severity == Error) && f.Fix == "" {
					t.Errorf("%s: %s has no fix", f.About, f.What)
				}
				if (f.Severity == Error) != (f.Code != "") {
					t.Errorf("%s: an error, and nothing else, has a code", f.What)
				}
			}
		})
	}
}

func TestTheExitCodeIsThatOfTheWorst(t *testing.T) {
	finding := func(s Severity, c stream.Code) Finding { return Finding{Severity: s, Code: c} }
	input, environment := finding(Error, stream.ConfigValue), finding(Error, stream.Environment)
	for _, c := range []struct {
		name string
		all  []Finding
		exit int
	}{
		{"nothing", nil, 0},
		{"warnings", []Finding{finding(Warning, ""), finding(Info, ""), finding(OK, "")}, 0},
		{"the input", []Finding{input, finding(Warning, "")}, 2},
		{"the environment, before the input", []Finding{input, environment, input}, 3},
		{"wasmill, before all", []Finding{environment, finding(Error, stream.Internal), finding(Error, stream.CheckpointFenced)}, 1},
	} {
		if got := Exit(c.all); got != c.exit {
			t.Errorf("%s: %d", c.name, got)
		}
	}
}
