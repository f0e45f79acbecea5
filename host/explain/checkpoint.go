package explain

import "github.com/wasmill/wasmill/host/stream"

// stores explains what can be wrong with the place of checkpoints. While a pipeline runs
// these cost checkpoints and do not end it; at the start they do.
func stores() []Entry {
	return []Entry{
		{
			Code: stream.StoreUnavailable, Title: "the store of checkpoints does not answer",
			Cause:   "The server is down, overloaded or not to be reached, its name is not known, the disk is full, or the folder is gone.",
			Example: stream.Error{Where: "p.yaml:3:12 (checkpoint.storage): s3://bucket/x/probe/P4SZHTYHZE5POEKQRLSOMRCD3Z", Why: `cannot create the object: dial tcp 127.0.0.1:1: connect: connection refused`, Fix: "start the store, or correct host and port in s3.endpoint, 127.0.0.1:1"},
			Fix:     "Bring the store back; a pipeline that runs goes on meanwhile and tries again. Check s3.endpoint, or the path behind file://.",
		},
		{
			Code: stream.StoreDenied, Title: "the store does not let wasmill in",
			Cause:   "There are no keys, or they are wrong, expired or lack a right; or the user that runs wasmill may not write the folder.",
			Example: stream.Error{Where: "/var/lib/wasmill", Why: "cannot make the folder: permission denied", Fix: "let the user that runs wasmill read and write the folder and everything in it: chown -R <user> /var/lib/wasmill"},
			Fix:     "Set s3.accessKey and s3.secretKey of the process to where the keys are, and allow them s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket; or give the user the folder.",
		},
		{
			Code: stream.StoreMisconfigured, Title: "the settings do not fit the store",
			Cause:   "The bucket is not there or in another region, the server speaks TLS and the setting does not or the other way round, its certificate is not trusted, the clock of this machine is wrong, or a file stands where a folder has to be.",
			Example: stream.Error{Where: "p.yaml:3:12 (checkpoint.storage): /srv/p.yaml", Why: "cannot make the folder: there is a file in the place of a folder", Fix: "a file stands where a folder has to be, or the other way round: choose a folder of its own with checkpoint.storage"},
			Fix:     "Do what the message says: it comes from the store's own answer. Trying again without a change does not help.",
		},
		{
			Code: stream.StoreNotAtomic, Title: "the store cannot tell two writers apart",
			Cause:   "Before the first checkpoint wasmill tries whether of several creates of one name exactly one succeeds. Here none or several did. Without that two processes could continue one pipeline at once, and both would show their output.",
			Example: stream.Error{Where: "s3://bucket/prefix/probe/P4SZHTYHZE5POEKQRLSOMRCD3Z", Why: "16 of 16 creates of one name at the same time succeeded, where exactly one may", Fix: "use a store with conditional writes (If-None-Match on PUT: Amazon S3, MinIO) or a local folder, or update the server; without them two processes could continue one pipeline at once"},
			Fix:     "Use a store with conditional writes, or a folder on a file system with hard links.",
		},
	}
}

// checkpoints explains what can be wrong with checkpoints themselves.
func checkpoints() []Entry {
	return []Entry{
		{
			Code: stream.CheckpointFenced, Title: "another process has taken the pipeline over",
			Cause:   "A second process runs the same pipeline with the same storage. The one that came later goes on; this one shows nothing more, and ends.",
			Example: stream.Error{Where: "access-log", Why: "generation 4 was claimed by process 812 on worker-2 at 2026-03-01T12:00:00Z, and this process has 3: another writer has taken over", Fix: "let one process run this pipeline with this storage; if two are meant, give each its own name or prefix"},
			Fix:     "If that is a replacement, as after a failover, nothing is to be done. If not, see who else runs it; two pipelines need two names or two prefixes.",
		},
		{
			Code: stream.CheckpointUnreadable, Title: "there are checkpoints, and none can be read",
			Cause:   "All are damaged, or parts are gone. Starting from nothing would do everything again and show it twice, so wasmill does not do that by itself.",
			Example: stream.Error{Where: "access-log", Why: "there are 3 checkpoints and none can be read", Fix: "restore the objects of one of them from a backup, or delete the pipeline to start from nothing"},
			Fix:     "Let wasmill checkpoint verify say what is wrong, and bring the objects back from a backup. run --fresh deletes them all and begins with nothing.",
		},
		{
			Code: stream.CheckpointDamaged, Title: "a checkpoint is damaged",
			Cause:   "An object is gone, cut off, or has another sum than it was written with. At a start an older checkpoint is taken instead, if there is one.",
			Example: stream.Error{Where: "file://./data/checkpoints", Why: "epoch 12 of access-log cannot be restored: it has 1 damaged object", Fix: "bring them back from a backup; a restore takes an older checkpoint meanwhile"},
			Fix:     "wasmill checkpoint verify reads all of one and lists the damage. Check the disk or the store; nobody but wasmill should write or delete there.",
		},
		{
			Code: stream.CheckpointFormat, Title: "a newer wasmill has written the checkpoint",
			Cause:   "The format of checkpoints goes up when something is stored that older versions do not know. Newer versions read all older formats.",
			Example: stream.Error{Where: "access-log/epochs/00000000000000000012", Why: "the checkpoint has format 2, and this wasmill reads formats up to 1", Fix: "run the version of wasmill that wrote it, or a later one"},
			Fix:     "Run the version that wrote it, or a later one. Before going back to an older version, keep a copy of a checkpoint that it can read.",
		},
		{
			Code: stream.CheckpointFailed, Title: "too many checkpoints failed in a row",
			Cause:   "More than checkpoint.tolerableFailures could not be stored, one after the other. A pipeline that cannot store where it is should not go on for ever.",
			Example: stream.Error{Where: "pipeline access-log", Why: "1001 checkpoints in a row failed, where 1000 may: cannot create the object: connection refused", Fix: "see to the cause; checkpoint.tolerableFailures and checkpoint.timeout allow for more"},
			Fix:     "See to the cause, which stands behind the number, and start it again: it goes on from the last checkpoint that was stored.",
		},
		{
			Code: stream.CheckpointUnfit, Title: "not all of the checkpoint fits the pipeline",
			Cause:   "A vertex with state, a source or a sink has another name or kind than when the checkpoint was taken, or is gone, so that a part would be dropped.",
			Example: stream.Error{Where: "access-log", Why: "not all of checkpoint 12 fits the pipeline: count: there is no such vertex any more, which drops 3120 entries of state (98304 bytes)", Fix: "bring back what it was taken with, allow for the loss with --allow-dropped-state, or begin anew with --fresh"},
			Fix:     "wasmill checkpoint restore says what would be dropped. Put the names back, or allow for the loss with --allow-dropped-state.",
		},
	}
}
