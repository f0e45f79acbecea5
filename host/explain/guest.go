package explain

import "github.com/wasmill/wasmill/host/stream"

// guests explains how calls of plugins fail. What happens to their records is what retry
// and onError of the vertex say.
func guests() []Entry {
	return []Entry{
		{
			Code: stream.GuestTrap, Title: "the plugin trapped",
			Cause:   "The code of the plugin ended by a trap: a panic, an index out of range, unreachable code, a division by zero, an exit, or more calls of the host than limits.hostCalls. wasmill finds the record that does it, and the others of the call are handled.",
			Example: stream.Error{Where: `f, record 1 of source in (in.txt:1), value "one"`, Why: "the plugin trapped in $4: unreachable", Fix: "correct the plugin; wasmill plugin check plugins/x.wasm tries it on many records"},
			Fix:     "Look at the record, at the functions and at what the plugin printed. With onError: deadLetter such records leave by an edge of their own, and the pipeline goes on.",
		},
		{
			Code: stream.GuestDeadline, Title: "a call took longer than it may",
			Cause:   "A call has limits.callDeadline (10 s) for computing, or limits.recordDeadline times its records. The plugin has a loop without an end, or much to do.",
			Example: stream.Error{Where: `f, record 1 of source in (in.txt:1), value "one"`, Why: "the plugin ran past its deadline in spin", Fix: "find out why it takes so long, or raise limits.callDeadline (10s) or recordDeadline of the vertex"},
			Fix:     "See which function it was in. If it is just slow, raise the deadline, or lower batch.maxRecords, as the deadline is that of a whole call.",
		},
		{
			Code: stream.GuestOutput, Title: "the answer of the plugin breaks the ABI",
			Cause:   "What a call returned is no valid table: an address outside of its memory or misaligned, an unknown outcome, an output for a record that was not in the call.",
			Example: stream.Error{Where: `f, record 1 of source in (in.txt:1), value "one"`, Why: "the plugin broke the ABI: output header at 0xfffffff8 is not inside the 4194304 bytes of memory", Fix: "wasmill plugin check plugins/x.wasm tests it against abi/ABI.md"},
			Fix:     "Use the SDK's way to emit records. In code of your own let wasmill plugin check find which rule is broken. Memory that was freed or overwritten shows like this, too.",
		},
		{
			Code: stream.GuestWait, Title: "a call waited too long for the host",
			Cause:   "Time in functions of the host, such as http_request and sleep, counts apart from computing. All of it in one call is at most limits.waitDeadline (1 min).",
			Example: stream.Error{Where: `f, record 1 of source in (in.txt:1), value "one"`, Why: "the plugin waited too long for what it called in http_request", Fix: "lower batch.maxRecords of the vertex, as all waiting in a call counts, or raise limits.waitDeadline (1m0s)"},
			Fix:     "Set batch.maxRecords: 1 with a high concurrency, so that each record waits for itself, and set http.timeout to less than the deadline.",
		},
		{
			Code: stream.GuestFuel, Title: "a call used more fuel than it may",
			Cause:   "sandbox.fuel of the vertex bounds what one call may do, at about a unit per instruction, whatever the machine's speed.",
			Example: stream.Error{Where: `parse, record 1 of source lines (access.log:1), value "203.0.113.17 - - [11/Jun/2024"… (250 bytes)`, Why: "the plugin used more than its 100 units of fuel in wasmill_process", Fix: "raise sandbox.fuel of the vertex, or lower its batch.maxRecords: it counts for a whole call"},
			Fix:     "Raise it, remove it (0 is no limit), or lower batch.maxRecords.",
		},
		{
			Code: stream.GuestLimit, Title: "the plugin gave or did more than its limits allow",
			Cause:   "A record is larger than limits.recordBytes, a record gave more others than limits.outputPerRecord, a call gave more than limits.outputBytes, or timers are set without end after the last record.",
			Example: stream.Error{Where: `parse, record 1 of source lines (access.log:1), value "203.0.113.17 - - [11/Jun/2024"… (250 bytes)`, Why: "the plugin answered more than it may: output entry 0: record of 342 bytes is over the limit of 10", Fix: "raise limits.recordBytes of the vertex, if that is what the plugin is meant to do"},
			Fix:     "If the plugin is meant to do that, raise the limit that the message names.",
		},
		{
			Code: stream.GuestMemory, Title: "the plugin has no room for a frame",
			Cause:   "The records of a call are copied into the memory of the plugin, which may grow to limits.memory, and did not find room beside what the plugin holds itself. A plugin that never frees grows until this happens.",
			Example: stream.Error{Where: `f, record 1 of source in (in.txt:1), value "one"`, Why: "the plugin has no room for a frame of 1048576 bytes", Fix: "raise limits.memory of the vertex, or lower its batch.maxBytes"},
			Fix:     "Raise limits.memory, lower batch.maxBytes, and see whether the plugin keeps what it should free.",
		},
		{
			Code: stream.GuestReplay, Title: "the plugin did not do the same again",
			Cause:   "With state: memory the host brings a plugin back after a failed call by giving it the records since the last snapshot again. It answered differently, so it is not deterministic.",
			Example: stream.Error{Where: "board, plugin leaderboard", Why: "the plugin is not deterministic: after a failed call it was given again what it had handled before, and did not do the same", Fix: "with state: memory a plugin has to do the same for the same records, or its state cannot be brought back: find what differs"},
			Fix:     "Look for what differs from call to call: the order of a map, an uninitialised variable, a number that counts calls.",
		},
		{
			Code: stream.GuestStack, Title: "the plugin called functions too deep",
			Cause:   "Functions call each other without an end, or a deep recursion over a large value needs more than limits.stack of the vertex.",
			Example: stream.Error{Where: `f, record 1 of source in (in.txt:1), value "one"`, Why: "the plugin called functions deeper than its stack (8192 KiB) takes in walk", Fix: "find out what calls itself without end, or raise limits.stack of the vertex"},
			Fix:     "Look at the record: nested JSON is the usual reason. Bound the depth in the plugin, or raise limits.stack.",
		},
	}
}

// records explains what can be wrong with a single record.
func records() []Entry {
	return []Entry{
		{
			Code: stream.RecordError, Title: "a record cannot be handled",
			Cause:   "The plugin reports it with a message, its key, value or event time cannot be read as the config says, or the sink does not take it. With onError: fail, the default, that ends the pipeline.",
			Example: stream.Error{Where: `f, record 1 of source in (in.txt:1), value "one"`, Why: "the plugin reports: the price is not a number", Fix: "correct the record, let the plugin emit such records with a tag, or set onError of the vertex to deadLetter or drop"},
			Fix:     "Correct the data, or say what is to happen to such records: onError: deadLetter with an edge {when: {deadLetters: true}}, or onError: drop, which counts them.",
		},
		{
			Code: stream.RecordSize, Title: "a record is larger than its source takes",
			Cause:   "A line has more than maxRecordBytes of the source. It may be a file that is binary or has no line feeds.",
			Example: stream.Error{Where: "in, in.txt:3", Why: "the line is longer than 4 bytes", Fix: "raise maxRecordBytes of the source, or shorten the line"},
			Fix:     "Raise maxRecordBytes of the source, and limits.recordBytes of the vertices behind it, or split the data into shorter records.",
		},
	}
}

// states explains what can be wrong with what vertices remember.
func states() []Entry {
	return []Entry{
		{
			Code: stream.StateFull, Title: "there is no room for more state",
			Cause:   "A vertex remembers more than state.maxBytes, one call changes more than limits.stateBytes, or an entry is larger than one may be.",
			Example: stream.Error{Where: "count", Why: "the state holds 1073741800 of at most 1073741824 bytes and has no room for an entry of 96 bytes", Fix: "raise state.maxBytes of the vertex, or keep less: give entries a TTL, use shorter windows or delete what is done"},
			Fix:     "Raise the limit, or keep less: give entries a TTL, use shorter windows and less lateness, delete what is done. /status shows how much each vertex holds.",
		},
		{
			Code: stream.StateCorrupt, Title: "stored state cannot be read",
			Cause:   "A part of a checkpoint is not what wasmill has written, though its sum is right, so a bug or another program wrote it.",
			Example: stream.Error{Where: "count", Why: "what the checkpoint says of the vertex cannot be read: unexpected end of JSON input"},
			Fix:     "Start from an older checkpoint: wasmill checkpoint list shows them, run --from EPOCH takes one. Then report it.",
		},
		{
			Code: stream.StateForeign, Title: "the stored state belongs to something else",
			Cause:   "With state: memory the state is the memory of one build of a plugin with certain params and a number of partitions. One of these is another one now.",
			Example: stream.Error{Where: "board, plugin leaderboard", Why: "the state is that of partition 0 of 4, not 0 of 8", Fix: "write partitions: 4; their number is fixed for the life of the pipeline"},
			Fix:     "Put back what it was taken with. wasmill plugin versions lists builds that are kept. To give the state up, run with --fresh.",
		},
	}
}
