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
// Run starts one goroutine per pipeline, and one for the health and the metrics
// if Options.Admin asks for them, and returns after all of them.
package host
