// Package crash has the tests that kill a process in the middle of a run with
// checkpoints and look at what the next one makes of it.
//
//	numbers ─┬▶ loose ─┬▶ count ▶ counts       (windows; files by part)
//	         │         └▶ again                (at least once)
//	         └▶ tally ▶ ordered                (state and timers; one file)
//
// The test binary is also the worker, which runs that pipeline in a folder of its own.
// The source notes in a ledger there what it reads, what is published and what is
// acknowledged, so that a checker can say what each life of a worker may have lost,
// doubled or forgotten too early.
//
// SEED replays the settings, the kills and the failures of a test by chance. SOAK=1
// makes it long.
package crash
