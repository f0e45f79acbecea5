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
}
