package admin

import "github.com/wasmill/wasmill/host/stream"

// observePipelines is Observe for pipelines that come and go.
func observePipelines(out *stream.Events, next stream.Events, tell func(string, ...any)) {
	out.PipelineStarted = func(file string) {
		tell("pipeline-started", "file", file)
		if next.PipelineStarted != nil {
			next.PipelineStarted(file)
		}
	}
	out.PipelineRefused = func(file string, err error) {
		tell("pipeline-refused", "file", file, "errors", faults(err))
		if next.PipelineRefused != nil {
			next.PipelineRefused(file, err)
		}
	}
	out.PipelineRemoved = func(file string, kept []string) {
		tell("pipeline-removed", "file", file, "kept", kept)
		if next.PipelineRemoved != nil {
			next.PipelineRemoved(file, kept)
		}
	}
	out.PipelineEnded = func(err error) {
		all := []Fault{}
		if err != nil {
			all = faults(err)
		}
		tell("pipeline-ended", "errors", all)
		if next.PipelineEnded != nil {
			next.PipelineEnded(err)
		}
	}
}
