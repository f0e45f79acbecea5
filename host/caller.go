package host

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/control"
	"github.com/wasmill/wasmill/host/suite"
	"github.com/wasmill/wasmill/host/wasm"
)

// CallOptions say how a plugin is called.
type CallOptions struct {
	Params json.RawMessage // a JSON object; nil = none
	Grant  []string        // capabilities
	Allow  []string        // hosts that it may ask over HTTP, if that is granted
	// Where is what errors of all that name as the place.
	Where string
}

// Call gives records to the plugin in a file, as a vertex of a pipeline of its own would,
// with the limits that this has by default. Records of a plugin with state have their own
// key; one that aggregates has one window for all times. When all are through, time ends.
// In the options of the Tester Set may name what the vertex has, as in
// vertices.plugin.udf.limits.memory=16MiB.
func (t *Tester) Call(ctx context.Context, path string, c CallOptions, in []suite.Record) (*suite.Called, error) {
	p, err := t.engine.Load(ctx, path, wasm.DefaultLimits())
	if err != nil {
		return nil, err
	}
	calling := suite.Calling{
		Plugin: strings.TrimSuffix(filepath.Base(path), wasm.Ext), Kind: p.Description.Kind, Tags: p.Description.Tags, Params: c.Params, Grant: c.Grant, Allow: c.Allow,
	}
	if err := p.Close(ctx); err != nil {
		return nil, err
	}
	text, err := calling.File()
	if err != nil {
		return nil, err
	}
	const name = "call"
	parsed, err := parse(config.File{Name: name, Data: text}, t.options)
	if err != nil {
		return nil, elsewhere(name, c.Where, err)
	}
	b := &control.Builder{Engine: t.engine, PluginsDir: filepath.Dir(path), Budget: Budget(t.settings)}
	if t.options.Events != nil {
		b.Events = t.options.Events(name)
	}
	called, err := suite.Call(ctx, b, parsed, in)
	return called, elsewhere(name, c.Where, err)
}

// elsewhere replaces the places of errors in a file that nobody has written.
func elsewhere(file, where string, err error) error {
	var errs []error
	for _, e := range config.Faults(err) {
		at := *e
		if rest, ok := strings.CutPrefix(e.Where, file+":"); ok {
			at.Where = where
			if _, more, ok := strings.Cut(rest, "): "); ok { // the file of the plugin
				at.Where += ": " + more
			}
		}
		errs = append(errs, &at)
	}
	if errs == nil {
		return err
	}
	return errors.Join(errs...)
}
