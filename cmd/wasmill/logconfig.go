package main

import (
	"log/slog"
	"strings"

	"github.com/wasmill/wasmill/host/stream"
)

// configChanges adds the callbacks about the file of a pipeline.
func configChanges(log *slog.Logger, e *stream.Events) {
	e.ConfigApplied = func(c stream.ConfigChange) {
		log.Info("a change is in force", "revision", c.Revision, "class", c.Class, "changes", safe(strings.Join(c.Steps, "; ")), "took", c.Took.String())
	}
	e.ConfigRefused = func(err error) {
		log.Error("a change is refused: what was before goes on", "cause", cause(err))
	}
	e.ConfigNotice = func(text string) { log.Warn("config", "text", safe(text)) }
	e.PipelineStarted = func(file string) { log.Info("the pipeline begins", "file", safe(file)) }
	e.PipelineRefused = func(file string, err error) {
		log.Error("the pipeline does not run, until its file is mended", "file", safe(file), "cause", cause(err))
	}
	e.PipelineRemoved = func(file string, kept []string) {
		log.Info("its file is gone: the pipeline ends when what it has read is through, and its data is kept", "file", safe(file), "kept", safe(strings.Join(kept, "; ")))
	}
	e.PipelineEnded = func(err error) {
		if err != nil {
			log.Error("the pipeline has failed", "cause", cause(err))
			return
		}
		log.Info("the pipeline has ended")
	}
}
