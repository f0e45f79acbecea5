package explain

import "github.com/wasmill/wasmill/host/stream"

// projects explains what can be wrong with the source of a plugin, and with compilers.
func projects() []Entry {
	return []Entry{
		{
			Code: stream.ProjectUnknown, Title: "there is no source of a plugin in the folder",
			Cause:   "wasmill build and wasmill dev take a folder with one plugin: files in one language, of which one is named after the folder or is the only one; in Go all files of the folder. The folder is not there, has no such file, or has several languages.",
			Example: stream.Error{Where: "plugins/shuot", Why: "there is no such folder", Fix: "wasmill new udf NAME makes one; else name its folder"},
			Fix:     "Name the folder of the plugin, or make one with wasmill new udf.",
		},
		{
			Code: stream.ProjectExists, Title: "what is to be made is there already",
			Cause:   "wasmill new makes a project only in a folder that is empty or not there, under a name that no plugin in the plugins folder has.",
			Example: stream.Error{Where: "plugins/shout", Why: "the folder is there, with README.md in it", Fix: "choose another name, or another folder with --dir; nothing was changed"},
			Fix:     "Choose another name or folder, or remove what is there if nobody needs it.",
		},
		{
			Code: stream.ToolchainMissing, Title: "there is no compiler that can be used",
			Cause:   "The compiler of the language is not in PATH, or it lacks what WebAssembly needs: the target wasm32-unknown-unknown for Rust, the target wasm32 and the linker wasm-ld for C.",
			Example: stream.Error{Where: "Zig", Why: "zig is not in PATH, and ZIG names no other", Fix: "take 0.17 from https://ziglang.org/download and put it into PATH, or name it with ZIG"},
			Fix:     "Install it as the message says, or name one with the variable GO, RUSTC, CLANG, ASC or ZIG. In the sources of wasmill make toolchains fetches those that it can.",
		},
		{
			Code: stream.ToolchainOld, Title: "the compiler is too old",
			Cause:   "The SDKs need Go 1.24, Rust 1.63, clang 14, Zig 0.17 and AssemblyScript 0.28, or later.",
			Example: stream.Error{Where: "/usr/bin/go", Why: "version 1.21.3 of go is too old: the SDK needs 1.24 or later", Fix: "take one from https://go.dev/dl, as packages of the system are often older than 1.24"},
			Fix:     "Install a newer one. If there is one already, name it with the variable GO, RUSTC, CLANG, ASC or ZIG.",
		},
		{
			Code: stream.BuildFailed, Title: "the compiler does not take the source",
			Cause:   "What the compiler printed is above the message, as it is; paths in it are relative to the folder of the project.",
			Example: stream.Error{Where: "plugins/shout", Why: "go does not compile it: exit status 1", Fix: "mend what the compiler says; the plugin of the build before, if there was one, is as it was"},
			Fix:     "Mend the source and build again. wasmill dev does that at each edit.",
		},
	}
}
