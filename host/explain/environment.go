package explain

import "github.com/wasmill/wasmill/host/stream"

// inputs explains what can be wrong with what sources read and sinks write.
func inputs() []Entry {
	return []Entry{
		{
			Code: stream.InputMissing, Title: "what a source reads is not there",
			Cause:   "There is no file of that name, or none matches the pattern. A relative path starts at the folder of the pipeline file.",
			Example: stream.Error{Where: "in, inn.txt", Why: "there is no such file", Fix: "did you mean in.txt?"},
			Fix:     "Correct the path, or create the file. The same is said of the file of a side input.",
		},
		{
			Code: stream.InputUnreadable, Title: "what a source reads cannot be read",
			Cause:   "The right to read it is missing, the disk has a fault, or it is no regular file where one is needed.",
			Example: stream.Error{Where: "in, /var/log/access.log", Why: "the file cannot be read: permission denied", Fix: "give read permission to the user that runs wasmill: chmod +r /var/log/access.log"},
			Fix:     "Let the user that runs wasmill read the file and enter the folders above it.",
		},
		{
			Code: stream.InputDirectory, Title: "the path of a source is a folder",
			Cause:   "A file source reads files. A folder has to be said as a pattern of what in it is meant.",
			Example: stream.Error{Where: "in, plugins", Why: "this is a directory, not a file", Fix: "to read every file in it, use plugins/*"},
			Fix:     "Write a pattern, such as logs/*.log.",
		},
		{
			Code: stream.InputCorrupt, Title: "compressed data is damaged or cut off",
			Cause:   "A file whose name ends in .gz or .zst is read as such, and is not, or ends too early.",
			Example: stream.Error{Where: "in, access.log.gz", Why: "the gzip data is damaged or cut off: unexpected EOF", Fix: "copy the file again, or rename it if it is not compressed"},
			Fix:     "Copy it again when it is complete. A file that is not compressed should not be named so.",
		},
		{
			Code: stream.InputChanged, Title: "a file is not the one that was read before",
			Cause:   "A checkpoint says how far a file was read. Since then it was replaced, cut or removed, so that the place in it means nothing.",
			Example: stream.Error{Where: "in, access.log", Why: "the file is gone, and was not read to its end", Fix: "put the file back, or run with a fresh start to read what is there now from its beginning"},
			Fix:     "Put the file back. Rotate by renaming, and let a pattern such as access.log* match the old name, too. run --fresh begins with what is there now.",
		},
		{
			Code: stream.PositionInvalid, Title: "a stored place is not one of this source or sink",
			Cause:   "The checkpoint was taken when the vertex was a source or sink of another kind.",
			Example: stream.Error{Where: "in", Why: "the stored position is not that of a file source: unexpected end of JSON input", Fix: "if the source was another one before, make a fresh start"},
			Fix:     "Give the new source another name, or begin anew with --fresh.",
		},
		{
			Code: stream.OutputFile, Title: "a sink cannot write",
			Cause:   "The folder is not there, the path is a folder, the right to write is missing, the disk is full, or standard output was closed.",
			Example: stream.Error{Where: "out, nowhere/out.txt", Why: "the folder nowhere does not exist", Fix: "mkdir -p nowhere"},
			Fix:     "Do what the message says. A relative path starts at the folder of the pipeline file.",
		},
	}
}

// environment explains what can be wrong around the process.
func environment() []Entry {
	return []Entry{
		{
			Code: stream.Environment, Title: "something around wasmill does not let it work",
			Cause:   "A file may not be read, a secret's file can be read by everybody, a port cannot be listened on, a folder of wasmill's own cannot be written, a process cannot be reached.",
			Example: stream.Error{Where: "pipeline.yaml", Why: "this user may not read it", Fix: "give the user that runs wasmill the right to read it"},
			Fix:     "Do what the message says; nothing is wrong with the config or the plugin.",
		},
		{
			Code: stream.DrainTimeout, Title: "what was read did not get through in time",
			Cause:   "At the end of a run the sources stop and what they have read goes through, for at most shutdown.grace (25 s). Something was still on its way: a slow call, a sink that blocks, a checkpoint that cannot be stored.",
			Example: stream.Error{Where: "pipeline access-log", Why: "what was read is not through after 25s: ok holds 512 records in input", Fix: "see what the last of these waits for (/status tells more while it runs), or set shutdown.grace to a longer time"},
			Fix:     "See what the last vertex waits for. With checkpoints nothing is lost: the next run does again what was not through. Under Kubernetes set terminationGracePeriodSeconds to more than shutdown.grace.",
		},
		{
			Code: stream.WorkerDied, Title: "the process that works died again and again",
			Cause:   "With run --supervise, and in the background, a process that dies is started again after a pause. It died too often for that within a short time: by a signal, such as that of a system that is out of memory, or by a fault of wasmill. What the environment is at fault for does not count.",
			Example: stream.Error{Why: "the worker died 11 times within 10m0s, and was started again 10 times; the last one was ended by signal 9 (killed)", Fix: "see in its log what ended it; then start it again"},
			Fix:     "See in its log what ended it: wasmill logs of an instance, or standard error. After signal 9 look into the log of the machine; if its memory was full, lower memory.budget. It goes on from its last checkpoint.",
		},
	}
}

// revisions explains what can be wrong with configs that are kept.
func revisions() []Entry {
	return []Entry{
		{
			Code: stream.RevisionUnknown, Title: "there is no such revision",
			Cause:   "The number is of none that is kept (revisions.keep of each pipeline, 10 by default), the pipeline has another name, or data.dir is another folder than that of the run.",
			Example: stream.Error{Where: "data/revisions/access-log/0000000004.revision", Why: "there is no revision 4", Fix: "wasmill revisions PIPELINE lists those that are kept"},
			Fix:     "List them with wasmill revisions PIPELINE, in the folder where wasmill run does.",
		},
		{
			Code: stream.RevisionDamaged, Title: "a kept revision cannot be read",
			Cause:   "The file was changed or cut off. What runs does not need it.",
			Example: stream.Error{Where: "data/revisions/access-log/0000000004.revision", Why: "the file is damaged: it says that it is revision 3", Fix: "take another revision, and delete this file"},
			Fix:     "Take another revision, and delete the file.",
		},
	}
}
