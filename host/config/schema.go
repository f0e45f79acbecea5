package config

import _ "embed" // for the schemas

//go:generate go test . -run TestTheSchemasAreThoseOfTheStructs -rewrite

//go:embed schema/pipeline.json
var pipelineSchema string

//go:embed schema/process.json
var processSchema string

// PipelineSchema returns the JSON Schema (2020-12) of a pipeline file. It accepts every
// file that LoadPipeline does. Ranges, the graph and what values mean together it does
// not know. It is made of the structs of this package and of the connectors, with their
// comments and defaults, by a test, as comments are in the source alone.
func PipelineSchema() string { return pipelineSchema }

// ProcessSchema returns that of a file with settings of the process, in the same way.
func ProcessSchema() string { return processSchema }
