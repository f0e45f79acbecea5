// Package control turns what a config says into what runs. It is the only
// package that knows all the others, and it has the one visible catalog that
// maps the names in a config to constructors.
//
//	config.Pipeline ─▶ Build ─▶ pipeline.Graph
//	                     │ catalog: sources, sinks
//	                     ├ wasm.Engine: plugins, one load per file and limits
//	                     └ side.File: side inputs that are files
//	pipeline.Graph ─▶ Durable ─▶ durable.Runner: the same with checkpoints
//
//	Pipeline.Stats ─▶ Scaling ─▶ instances, of vertices that are scaled
//
// Build checks everything that can be known before a record moves, and reports
// all of it at once. It opens no source and no sink, and reads the
// files of side inputs. Metrics turns what a pipeline
// counts into what operators scrape, StatusOf into what they read. Stores opens where
// checkpoints are, and Checkpoints looks at what is there. A Builder with Only and Answer
// makes a part of a pipeline whose guests have no network, for tests.
package control
