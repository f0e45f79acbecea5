package control

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/control/durable"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
	"github.com/wasmill/wasmill/host/wasm"
)

// shapes says what the vertices are that were built from a config.
func shapes(c *config.Pipeline, g pipeline.Graph) map[stream.VertexID]durable.Shape {
	all := make(map[stream.VertexID]durable.Shape)
	for i := range c.Vertices {
		v := &c.Vertices[i]
		s := durable.Shape{Role: v.Role(), Concurrency: v.Concurrency.Max}
		key := keyShape(c, v)
		switch {
		case v.Source != nil:
			s.Kind, s.Concurrency = v.Source.Kind, 0
		case v.Sink != nil:
			s.Kind, s.Concurrency = v.Sink.Kind, 0
		case v.Aggregate != nil:
			s.Kind = v.Aggregate.Kind
			s.State = fmt.Sprintf("%s by %s in %s, %d groups", aggregateShape(v.Aggregate), key, windowShape(v.Window), v.State.Groups)
		case v.Join != nil:
			s.Kind = v.Join.Kind
			s.State = fmt.Sprintf("%s join of %s and %s by %s in %s within %v, %d groups", v.Join.Kind, v.Join.Left, v.Join.Right, key, windowShape(v.Window), v.Join.Within, v.State.Groups)
		default:
			t := g.Vertices[i].Transform
			s.Kind, s.Code = v.UDF.Plugin, codeOf(t)
			switch t.(type) {
			case processed:
				s.State = fmt.Sprintf("plugin by %s, %d groups", key, v.State.Groups)
			case folded:
				s.State = fmt.Sprintf("plugin by %s in %s, %d groups", key, windowShape(v.Window), v.State.Groups)
			case partitioned:
				s.Bound = true
				s.State = fmt.Sprintf("memory of %d partitions by %s, params %.8x", v.Partitions, key, sha256.Sum256(params(v.UDF)))
			}
		}
		for _, e := range c.Edges {
			if e.To == v.Name {
				s.From = append(s.From, e.From)
			}
		}
		all[v.Name] = s
	}
	return all
}

// codeOf returns the hash of the plugin that a transform calls, empty if it calls none.
func codeOf(t stream.Transform) string {
	if p := pluginOf(t); p != nil {
		return p.Hash
	}
	return ""
}

// pluginOf returns the plugin that a transform calls now, nil if it calls none.
func pluginOf(t stream.Transform) *wasm.Plugin {
	if p, ok := t.(partitioned); ok {
		return p.plugin
	}
	if v := versionsOf(t); v != nil {
		return v.Plugin()
	}
	return nil
}

// versionsOf returns the versions of a plugin that a transform calls, nil if there is no
// plugin or it can have only one.
func versionsOf(t stream.Transform) *wasm.Versions {
	switch t := t.(type) {
	case *wasm.Versions:
		return t
	case processed:
		return t.guest
	case folded:
		return t.guest
	}
	return nil
}

// keyShape says what the key of a vertex is, by edge if they differ.
func keyShape(c *config.Pipeline, v *config.Vertex) string {
	own := keyText(&v.Key)
	var byEdge []string
	differ := false
	for _, e := range c.Edges {
		if e.To != v.Name {
			continue
		}
		text := own
		if e.Key != nil {
			text, differ = keyText(e.Key), true
		}
		byEdge = append(byEdge, fmt.Sprintf("%s of %s", text, e.From))
	}
	if differ {
		return strings.Join(byEdge, " and ")
	}
	return own
}

func keyText(k *config.Key) string {
	switch {
	case k.JSON != "":
		return fmt.Sprintf("json %q", k.JSON)
	case k.Header != "":
		return fmt.Sprintf("header %q", k.Header)
	}
	return "key"
}

// windowShape says which windows there are. How late records may be and when there
// are early results may change.
func windowShape(w *config.Window) string {
	text := "one window"
	switch {
	case w == nil:
	case w.Fixed != 0:
		text = fmt.Sprintf("windows of %v", w.Fixed)
	case w.Sliding != nil:
		text = fmt.Sprintf("windows of %v each %v", w.Sliding.Size, w.Sliding.Slide)
	case w.Session != 0:
		text = fmt.Sprintf("sessions of %v", w.Session)
	}
	if w != nil && w.Offset != 0 {
		text += fmt.Sprintf(" from %v", w.Offset)
	}
	return text
}

func aggregateShape(a *config.Aggregate) string {
	text := a.Kind
	if a.K > 0 {
		text += fmt.Sprint(" ", a.K)
	}
	switch {
	case a.JSON != "":
		text += fmt.Sprintf(" of json %q", a.JSON)
	case a.Header != "":
		text += fmt.Sprintf(" of header %q", a.Header)
	case a.Value:
		text += " of value"
	}
	return text
}
