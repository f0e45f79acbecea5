// Package instance has pipelines in the background: each in a folder, with what it was
// created with, where it is in its life, and who has it.
//
//	create ─▶ <home>/NAME/ ◀─ status, list, logs: they look
//	              ▲                    reserve: a whole folder gets its name
//	launch ─▶ keeper ─ supervise ─▶ worker ─ ready.json, admin ─▶ who waits
//	              ▲ SIGTERM            │ ends when its standard input does
//	shutdown ─────┘                    └─ data, log, checkpoints in a store
//
// The keeper is a process in a session of its own. It has the lock, is the only one to move the
// state while it lives, and starts the worker, again if that dies. The worker runs the
// pipeline. A worker that is told to end by others than the keeper drains, and the next one
// follows. If the keeper dies the worker drains and ends by itself; a new keeper waits
// for that. Without a keeper, whoever takes the lock moves the state.
//
// An instance runs with the binary that its spec names. Another one takes over by Upgrade:
//
//	check ─▶ drain the old, with a last checkpoint ─▶ launch ─▶ new keeper ┬▶ ready: the spec names it
//	                                                                       └▶ late, fails: it ends, drained
//
// The states, and where the events of state.go lead:
//
//	         |start   |ready  |restart |drain  |drained |end    |fail  |lost  |delete
//	created  |starting|       |        |       |        |       |      |      |deleting
//	starting |        |running|starting|pausing|        |stopped|failed|failed|
//	running  |        |       |starting|pausing|        |stopped|failed|failed|
//	pausing  |        |       |        |       |stopping|       |      |failed|
//	stopping |        |       |        |       |        |stopped|      |failed|
//	stopped  |starting|       |        |       |        |       |      |      |deleting
//	failed   |starting|       |        |       |        |       |      |      |deleting
//	deleting |        |       |        |       |        |       |      |      |deleting
//
// Invariants, with a crash at any point:
//
//  1. A name is an instance when all that belongs to one is in its folder; of several
//     creates one gets it. Nothing else is an instance, and it is swept away.
//  2. A state is on the disk before it counts. From each one an instance whose keeper is
//     gone can be resumed or deleted, and one that is deleting can be deleted.
//  3. flock decides who owns an instance: the system frees it however a process ends. The
//     process, its start and the boot in the file say whether that one is alive, to those who
//     only look, and whom to signal: no other process gets a signal.
//  4. SIGKILL comes only with force, or to a binary that has failed to take over, and after
//     the time for draining.
//  5. A store is put down before something is written there, and deleted from by the
//     instance's own name, unless the newest claim there is another's. The spec goes last.
//  6. The spec holds no secrets, only what refers to them.
//  7. The spec names a binary after all was ready with it, and before the instance is said to
//     be. Until then, and if it fails, the one before goes on. Another version does not
//     resume it. The new keeper ends an upgrade, also if nobody waits for that any more.
package instance
