package control

import (
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/stream"
)

func TestAPipelineThatCountsOnCheckpointsIsRefused(t *testing.T) {
	const text = `name: p
checkpoint: {storage: file://./c}
vertices: [{name: in, source: {generator: {count: 1}}}, {name: out, sink: drop}]
edges: [{from: in, to: out}]
`
	c, err := config.LoadPipeline(config.Layers{Files: []config.File{{Name: "p.yaml", Data: []byte(text)}}}, Catalog())
	if err != nil {
		t.Fatal(err)
	}
	_, err = (&Builder{}).Build(t.Context(), c)
	faults := config.Faults(err)
	if len(faults) != 1 || faults[0].Code != stream.ConfigValue || !strings.HasPrefix(faults[0].Where, "p.yaml:2:") {
		t.Errorf("got %v", err)
	}
}
