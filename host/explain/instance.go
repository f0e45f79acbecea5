package explain

import "github.com/wasmill/wasmill/host/stream"

// instances explains what can be wrong with instances in the background.
func instances() []Entry {
	return []Entry{
		{
			Code: stream.InstanceExists, Title: "there is an instance of that name already",
			Cause:   "wasmill create makes a new one and never replaces one, also not one that has ended or failed.",
			Example: stream.Error{Where: "/var/lib/wasmill/access-log", Why: "there is an instance access-log already, which stays as it is", Fix: "wasmill resume access-log lets it go on, wasmill delete access-log removes it; or choose another name"},
			Fix:     "To let it go on, resume it. To change what it runs, edit its own pipeline file, which wasmill status names. To begin anew, delete it first, with its checkpoints.",
		},
		{
			Code: stream.InstanceUnknown, Title: "there is no instance of that name",
			Cause:   "The name is misspelt, the instance was deleted, or it is in another folder: --home, WASMILL_HOME, or that of another user.",
			Example: stream.Error{Where: "/var/lib/wasmill/acces-log", Why: "there is no instance acces-log", Fix: "wasmill list shows those that there are: access-log"},
			Fix:     "Look at wasmill list, as the user that created it and with the same --home.",
		},
		{
			Code: stream.InstanceName, Title: "this is not how an instance can be named",
			Cause:   "The name becomes that of a folder, of the pipeline and of its checkpoints, so it is short and plain.",
			Example: stream.Error{Where: `"Access Log"`, Why: "that is not a name of at most 63 small letters, digits, - and _ that starts with a letter", Fix: "choose such a name: the pipeline of the instance has it, too"},
			Fix:     "Choose a name such as access-log.",
		},
		{
			Code: stream.InstanceState, Title: "the instance is not in a state for that",
			Cause:   "What is to be ended or asked does not run, what is to be resumed or deleted runs, or a deletion has begun that was interrupted.",
			Example: stream.Error{Where: "/var/lib/wasmill/access-log", Why: "it is running, in process 4711: nothing is deleted", Fix: "wasmill shutdown access-log first, or wasmill delete access-log --force, which lets it drain"},
			Fix:     "See with wasmill status in which state it is, and do what the message says first.",
		},
		{
			Code: stream.InstanceCheckpoints, Title: "the store has checkpoints of that name that are not the instance's",
			Cause:   "A run in the foreground, an instance of another machine or one whose folder is gone has stored them. A new instance neither goes on from what it does not know, nor writes beside it.",
			Example: stream.Error{Where: "s3://bucket/prefix", Why: "the store has 3 checkpoints of a pipeline access-log, which belong to no instance here", Fix: "add --restore to go on from the newest, choose another name, or delete them: wasmill checkpoint list and delete --storage s3://bucket/prefix --pipeline access-log"},
			Fix:     "If the work is to go on where that one was, and nothing else runs it, create with --restore. Else take another name or another prefix.",
		},
		{
			Code: stream.InstanceFailed, Title: "the instance does not run, and was to",
			Cause:   "Its process ended by an error, could not be started, or was told to end by another command.",
			Example: stream.Error{Where: "/var/lib/wasmill/access-log", Why: "its process ended before it had the instance", Fix: "wasmill logs access-log says why; then resume or delete it"},
			Fix:     "wasmill logs shows the error, whose code says more. Mend that, then resume it: it goes on from its last checkpoint.",
		},
		{
			Code: stream.InstanceTimeout, Title: "the instance takes longer than was waited for",
			Cause:   "It is not ready yet, as it restores much or a vertex cannot start; or it has been told to end and has not yet, as a call is slow, a sink blocks or the store does not answer. Nothing was broken off.",
			Example: stream.Error{Where: "/var/lib/wasmill/access-log", Why: "it was told to end, and has not after 35s", Fix: "wasmill logs access-log says what it waits for; wasmill shutdown access-log --force kills it"},
			Fix:     "See what it waits for, and wait again: with --timeout, or a longer shutdown.grace. With checkpoints a shutdown --force loses nothing: what was not through is done again.",
		},
		{
			Code: stream.InstanceDamaged, Title: "what is kept of the instance cannot be read",
			Cause:   "A file in its folder was changed, cut off or removed. Nothing is guessed, so that nobody else's checkpoints are touched.",
			Example: stream.Error{Where: "/var/lib/wasmill/access-log/instance.json", Why: "the file is damaged: unexpected end of JSON input", Fix: "bring it back from a backup; or delete the folder /var/lib/wasmill/access-log, and with wasmill checkpoint delete what the instance has in its store"},
			Fix:     "Bring the file back. Without a backup, keep the pipeline file in the folder, delete the folder, and create the instance with --restore: it goes on from its checkpoints.",
		},
		{
			Code: stream.InstanceFormat, Title: "a newer wasmill has made the instance",
			Cause:   "The format of a file in its folder is one that this version does not know. Newer versions read all older formats.",
			Example: stream.Error{Where: "/var/lib/wasmill/access-log/spec.json", Why: "a newer wasmill has written it, in a format that this one does not know", Fix: "use the wasmill that wrote it, or one that is newer"},
			Fix:     "Use the version that made it, or a later one.",
		},
		{
			Code: stream.InstanceVersion, Title: "the instance runs with another wasmill, or with this one already",
			Cause:   "An instance keeps to the wasmill that runs it, so that none gets its checkpoints by chance. Only upgrade lets another one take over, and has nothing to do for the same.",
			Example: stream.Error{Where: "/var/lib/wasmill/access-log", Why: "it runs with wasmill v1.2.0, and this is v1.3.0", Fix: "wasmill upgrade access-log lets this one take over; or /usr/bin/wasmill resume access-log goes on as before"},
			Fix:     "Upgrade it, or resume it with the wasmill that wasmill status names.",
		},
	}
}

// processes explains what is asked of processes and refused.
func processes() []Entry {
	return []Entry{
		{
			Code: stream.NotReady, Title: "not everything that is to run does",
			Cause:   "A vertex has fewer instances than its config asks for, as plugins compile, memory is short or a checkpoint is being restored; or another revision than the newest runs.",
			Example: stream.Error{Where: "wasmill ready", Why: "it is not so after 30s", Fix: "see what is missing, or wait for longer with --timeout; the process goes on as it was"},
			Fix:     "Wait with wasmill ready --wait. If it stays so, wasmill status and the log say what the vertex lacks.",
		},
		{
			Code: stream.DataOwned, Title: "the folder for data belongs to something else",
			Cause:   "A data.dir is that of one background instance, or of runs in the foreground, so that revisions and marks of one are never taken for those of another. Or the folder for a new instance is not empty.",
			Example: stream.Error{Where: "data.dir /srv/data", Why: "it belongs to instance access-log", Fix: "wasmill resume access-log runs it, wasmill delete access-log removes it; or name another folder: --set data.dir=…"},
			Fix:     "Name a folder of its own: data.dir in the settings of a run, --data-dir of create.",
		},
	}
}
