package explain

import "github.com/wasmill/wasmill/host/stream"

// plugins explains why a plugin file is not let in.
func plugins() []Entry {
	return []Entry{
		{
			Code: stream.PluginNotFound, Title: "there is no such plugin",
			Cause:   "The plugins folder has no file of that name with .wasm behind it, or the folder itself is not there. A relative plugins.dir starts in the working directory, not at the pipeline file.",
			Example: stream.Error{Where: "p.yaml:6:19 (vertices[1].udf.plugin): plugins/identiti.wasm", Why: "there is no such plugin", Fix: "did you mean identity?"},
			Fix:     "Build the plugin, or copy it into the folder. wasmill plugin list shows what is there, and --plugins names another folder.",
		},
		{
			Code: stream.PluginName, Title: "this is not how a plugin can be named, or where it can be",
			Cause:   "A pipeline names a plugin by its file without .wasm, and not by a path, so that it cannot leave the plugins folder. Neither may the file be a link that leads out of it, a device or a pipe, nor may everybody be able to write it or its folder.",
			Example: stream.Error{Where: "plugin-path.yaml:4:33 (vertices[1].udf.plugin)", Why: `"./plugins/parse-log.wasm" is a path, not the name of a plugin`, Fix: "put the file into the plugins folder, and write only its name: parse-log"},
			Fix:     "Put the file itself into the plugins folder, take the right to write from others (chmod o-w), and write only its name.",
		},
		{
			Code: stream.PluginFile, Title: "the file of the plugin cannot be read",
			Cause:   "The plugin, the plugins folder or the versions that are kept cannot be opened or read: the right to do so is missing, or the disk or share has a fault.",
			Example: stream.Error{Where: "plugins/parse-log.wasm", Why: "cannot be read: input/output error", Fix: "check the disk or the share it is on"},
			Fix:     "Let the user that runs wasmill read the file and its folder; else look into the log of the machine for what its disk has.",
		},
		{
			Code: stream.PluginTooLarge, Title: "the file of the plugin is larger than allowed",
			Cause:   "The limit limits.pluginBytes of the vertex (64 MiB by default) keeps huge modules out, which take long to compile.",
			Example: stream.Error{Where: "p.yaml:9:19 (vertices[1].udf.plugin): plugins/parse-log.wasm", Why: "has 2213077 bytes, the limit is 1048576", Fix: "build it without debug information, or raise limits.pluginBytes of the vertex"},
			Fix:     "Leave debug information out (Go: -ldflags=-w, clang: -s, Rust: -C strip=debuginfo), or raise the limit.",
		},
		{
			Code: stream.PluginNotWasm, Title: "the file is not WebAssembly",
			Cause:   "It does not begin as WebAssembly does. It may be text format (.wat), a page that says that a download has failed, a program for this machine, or empty.",
			Example: stream.Error{Where: "p.yaml:6:19 (vertices[1].udf.plugin): plugins/x.wasm", Why: "is not a WebAssembly file; it looks like an HTML page, so perhaps a failed download", Fix: "compile the plugin to a core WebAssembly module (plugins/README.md shows how, by language)"},
			Fix:     "Compile the source with WebAssembly as the target, and copy what comes out.",
		},
		{
			Code: stream.PluginComponent, Title: "the file is a component, not a core module",
			Cause:   "Tools for the component model (cargo component, wasm32-wasip2, jco, componentize-py) wrap a core module. wasmill runs core modules.",
			Example: stream.Error{Where: "p.yaml:6:19 (vertices[1].udf.plugin): plugins/x.wasm", Why: "is a component, not a core module", Fix: "build a core module: Rust target wasm32-unknown-unknown, TinyGo -target=wasip1, or take the core module out with wasm-tools component unbundle"},
			Fix:     "Build for a target that gives core modules, with the SDK of wasmill.",
		},
		{
			Code: stream.PluginInvalid, Title: "the module is damaged or uses what wasmill does not run",
			Cause:   "It is cut off or changed by a copy, or was built with proposals beyond WebAssembly 2.0: threads, exceptions, memory64, garbage collection, relaxed SIMD.",
			Example: stream.Error{Where: "plugins/parse-log.wasm", Why: "is damaged or incomplete: section 10: unexpected end", Fix: "copy or build it again"},
			Fix:     "Copy or build it again, and switch those proposals off in the compiler.",
		},
		{
			Code: stream.PluginCompile, Title: "the module takes too much to compile",
			Cause:   "Plugins are compiled in a process of its own, with limits on time (compile.timeout) and memory (compile.memory). One very large function, as interpreters and generated parsers have, can take minutes; or the machine is very busy.",
			Example: stream.Error{Where: "plugins/parse-log.wasm", Why: "takes longer than 10s to compile", Fix: "simplify its largest function, or raise compile.timeout of the process"},
			Fix:     "Split the largest function, build with optimisation for size, or raise the limit that the message names. What was compiled once is kept in cache.dir.",
		},
		{
			Code: stream.PluginChanged, Title: "the plugin has changed while it was loaded",
			Cause:   "The file was still being written. While wasmill runs, it is looked at again by itself.",
			Example: stream.Error{Where: "plugins/parse-log.wasm", Why: "has changed while it was loaded", Fix: "try again when it is there whole; write it beside and rename it"},
			Fix:     "Try again. Writing the file under another name and renaming it makes the change in one step.",
		},
		{
			Code: stream.PluginQuarantined, Title: "the plugin was in a call when a process died",
			Cause:   "A fatal error of the runtime ended an earlier process while this very file was in a call. It is not loaded again, so that a process which is started again and again does not die each time.",
			Example: stream.Error{Where: "plugins/parse-log.wasm", Why: "is in quarantine: it was in a call when a process ended on 2026-03-01T12:00:00Z with fatal error: out of memory", Fix: "replace the plugin; or, if it is not to blame: wasmill plugin release plugins/parse-log.wasm"},
			Fix:     "Replace the plugin by a version that does not do that: another content is another plugin. If it is not to blame, wasmill plugin release lets it in again.",
		},
		{
			Code: stream.PluginLock, Title: "the plugin is not as plugins.lock has it",
			Cause:   "The setting plugins.lock asks for the SHA-256 of each plugin to stand in that file. It does not, or the file of the plugin is another one, or the lock cannot be read.",
			Example: stream.Error{Where: "p.yaml:9:19 (vertices[1].udf.plugin): plugins.lock", Why: "plugins.lock is of no use: it cannot be read: no such file or directory", Fix: "mend it, write it anew (wasmill plugin lock --write plugins.lock), or name another with plugins.lock"},
			Fix:     "If you trust the file as it is, let wasmill plugin lock print its line, and add that to the lock. If not, put the one back that was locked.",
		},
		{
			Code: stream.PluginSignature, Title: "the plugin is not signed by a key that is trusted",
			Cause:   "The setting plugins.trust asks for a signature beside each plugin, NAME.wasm.sig. There is none, or it is of another file or by another key.",
			Example: stream.Error{Where: "p.yaml:9:19 (vertices[1].udf.plugin): plugins/parse-log.wasm", Why: "is not signed: there is no parse-log.wasm.sig beside it", Fix: "copy the signature of this very file there, or, if you trust it: wasmill plugin sign plugins/parse-log.wasm --key FILE"},
			Fix:     "Copy the signature that belongs to this very file beside it, or sign it with wasmill plugin sign. wasmill plugin verify says by which key a file is signed.",
		},
	}
}

// contracts explains why a module is no plugin for its vertex.
func contracts() []Entry {
	return []Entry{
		{
			Code: stream.PluginABI, Title: "the module speaks no ABI that this wasmill does",
			Cause:   "A plugin exports a marker, such as wasmill_abi_v1, that says which contract it keeps. It is missing, so this is some other module, or it is that of another wasmill; or a check of the contract has failed.",
			Example: stream.Error{Where: "p.yaml:6:19 (vertices[1].udf.plugin): plugins/x.wasm", Why: "does not export wasmill_abi_v1, so it is WebAssembly but no wasmill plugin", Fix: "build it with a file from abi/sdk, or export what abi/ABI.md §1 lists; if it was, the linker dropped the exports"},
			Fix:     "Build it with the SDK of this release. wasmill plugin inspect lists what a module exports, wasmill plugin check tries all of the contract.",
		},
		{
			Code: stream.PluginExport, Title: "an export is missing or of another form",
			Cause:   "The module lacks a function that the ABI asks for, has it with other parameters or results, exports no memory, or is a command whose main ends it.",
			Example: stream.Error{Where: "plugins/x.wasm", Why: "exports _start and not _initialize: it is a command, which ends after main", Fix: "build a reactor: Go -buildmode=c-shared, clang -mexec-model=reactor, Rust --crate-type cdylib"},
			Fix:     "Build a reactor with a file of abi/sdk, and keep the linker from dropping exports (clang: __attribute__((export_name)), Rust: #[no_mangle]).",
		},
		{
			Code: stream.PluginImport, Title: "the module imports what wasmill does not offer",
			Cause:   "It was linked for another host (env, wasi:…, a browser), or a function is declared and not defined, or it was built for a newer wasmill. State and timers are there for plugins of kind process alone.",
			Example: stream.Error{Where: "p.yaml:6:19 (vertices[1].udf.plugin): plugins/x.wasm", Why: "imports env.x: wasmill has no module env", Fix: "a function is declared and not defined, or is meant for another host: link it in (clang without --allow-undefined shows which)"},
			Fix:     "Define the function in the module, or use what abi/ABI.md §5 lists. wasmill plugin inspect lists the imports.",
		},
		{
			Code: stream.PluginCapability, Title: "a capability is unknown, not granted or not possible here",
			Cause:   "A plugin gets nothing that its vertex does not grant. It wants one that is not in grant, the word in grant is no capability, or it is one that does not go with state: memory.",
			Example: stream.Error{Where: "grant-unknown.yaml:4:57 (vertices[1].udf.grant[1])", Why: `there is no capability "clok"`, Fix: "did you mean clock?"},
			Fix:     "If you trust the plugin with it, grant it: udf: {plugin: …, grant: [log]}. wasmill plugin inspect shows what a plugin wants.",
		},
		{
			Code: stream.PluginMemory, Title: "the plugin needs more to start than its limits allow",
			Cause:   "The memory or the tables that the module declares are larger than limits.memory or limits.tableElements of the vertex.",
			Example: stream.Error{Where: "p.yaml:9:19 (vertices[1].udf.plugin): plugins/parse-log.wasm", Why: "needs 2240 KiB of memory to start, the limit is 1024 KiB", Fix: "set limits.memory of the vertex to 2240KiB or more"},
			Fix:     "Raise the limit to what the message says, and somewhat more for the work; or build the plugin with less initial memory (clang: -Wl,--initial-memory).",
		},
		{
			Code: stream.PluginStart, Title: "the plugin failed while it started",
			Cause:   "Its initialisation trapped or exited: the start function, constructors of global variables, or Go's init.",
			Example: stream.Error{Where: "plugins/x.wasm", Why: "the plugin failed while it started: it exited with code 3", Fix: "correct the plugin; wasmill plugin check plugins/x.wasm tries it on many records"},
			Fix:     "Look at what it printed and at the functions that the message names. There are no files, environment variables or arguments inside.",
		},
		{
			Code: stream.PluginDescribe, Title: "the plugin does not say what it is",
			Cause:   "wasmill_describe has to return JSON with at least a name and a kind. It trapped, returned something else, or an address outside of its memory.",
			Example: stream.Error{Where: "plugins/x.wasm", Why: "the plugin does not describe itself: invalid character 'n' looking for beginning of value", Fix: "correct the plugin; wasmill plugin check plugins/x.wasm tries it on many records"},
			Fix:     "Give the SDK a description such as {\"name\": \"shout\", \"kind\": \"map\"}; abi/ABI.md says what else it may have.",
		},
		{
			Code: stream.PluginParams, Title: "the plugin does not take its params",
			Cause:   "It takes no params at all, or refuses those that the vertex gives it, with its own words, or trapped on them.",
			Example: stream.Error{Where: "p.yaml:9:19 (vertices[1].udf.plugin): parse, plugin parse-log", Why: "the plugin does not accept its params: the only parameter is format: combined or common", Fix: "wasmill plugin inspect shows which params it takes"},
			Fix:     "Correct udf.params of the vertex. wasmill plugin inspect shows what the plugin says of its params.",
		},
		{
			Code: stream.PluginState, Title: "the memory of this plugin cannot be its state",
			Cause:   "With state: memory a plugin's variables are stored in checkpoints and calls are made again after a failure. That takes a plugin of kind map that is metered, remembers nothing outside of its memory and gets nothing that could differ the second time.",
			Example: stream.Error{Where: "board, plugin leaderboard", Why: "the plugin is of kind process, whose state the host keeps by key", Fix: "remove state: memory from the vertex"},
			Fix:     "Remove state: memory and let the plugin keep its state by key (kind process), or take the reason that the message names out of the plugin.",
		},
		{
			Code: stream.PluginCanary, Title: "the new version fails on records on which the old one does not",
			Cause:   "Before another version of a plugin or other params of it get calls, they are tried on recent records. The new one trapped, ran past its deadline, broke the ABI, or reported many more records as errors. What served before still does.",
			Example: stream.Error{Where: "parse, plugin parse-log", Why: "the new version of the plugin fails on 12 of 256 recent records, on which the one that serves does not; the first time: the plugin trapped: unreachable", Fix: "correct the plugin or its settings; if it is meant to be so, stop wasmill and run it again, which tries nothing, or set plugins.canary: off"},
			Fix:     "Correct the plugin or its params and put it there again. If the difference is wanted, start wasmill anew, or set plugins.canary: off for the process.",
		},
	}
}
