// Package host is wasmill as a library: it opens pipelines from config files,
// runs them and closes them. The command does nothing else.
//
//	h, err := host.Open(ctx, host.Options{Files: []string{"pipeline.yaml"}})
//	if err != nil { … }
//	defer h.Close(ctx)
//	err = h.Run(ctx) // until all sources end; Drain ends them early
//
// A pipeline with checkpoints goes on from its last one, unless Options.Start says
// otherwise; Pipeline.Durable takes them, and new settings while it runs.
//
// Tap shows records as they pass, while Run runs, through all generations of a pipeline.
//
// Run starts two goroutines per pipeline, one of which scales it, and one for the health and the metrics
// if Options.Admin asks for them, and returns after all of them. With Options.Follow
// there are three more, which look for changes of files:
//
//	watch ─ snapshots ─▶ changed ─▶ survey: the folder ─▶ roster ─▶ begin, move, leave
//	                        └─────▶ reload: a file, or a plugin ─▶ plan ─▶ apply
//
// A seat is the place of a pipeline; the crew is those that there are. roster, which is
// pure, says who comes and goes, and Host.reloads is held while that is done.
//
// Readiness counts what lives of what the revision in force wants. A data.dir belongs to one
// background instance, see OwnData, or to foreground runs.
//
// With Options.Revisions each config that is accepted is kept in data.dir, by package
// revision.
//
// A Tester runs tests of pipelines, and calls single plugins, in memory: see package suite.
package host
