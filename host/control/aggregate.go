package control

import (
	"errors"
	"fmt"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/field"
	"github.com/wasmill/wasmill/host/state/window"
	"github.com/wasmill/wasmill/host/stream"
)

// aggregate makes the built-in aggregation of a vertex.
func (b *build) aggregate(i int) (*window.Transform, error) {
	c := &b.config.Vertices[i]
	at := fmt.Sprintf("vertices[%d].", i)
	a := window.Config{
		Vertex: c.Name, Spec: windows(c.Window), Aggregate: c.Aggregate.Kind, K: c.Aggregate.K, Groups: c.State.Groups, MaxBytes: int64(c.State.MaxBytes),
		Late: b.tags.Tag([]byte(config.TagLate)),
	}
	var errs []error
	part := func(value string, s field.Spec) func(*stream.Batch, int) ([]byte, bool) {
		e, err := field.Parse(s)
		if err != nil {
			errs = append(errs, b.located(at+value, err))
			return nil
		}
		return e.Bytes
	}
	var err error
	if a.Key, err = b.key(i); err != nil {
		errs = append(errs, err)
	}
	switch v := c.Aggregate; {
	case v.Value:
		a.Value = func(b *stream.Batch, i int) ([]byte, bool) { return b.Value(i), true }
	case v.JSON != "" || v.Header != "":
		a.Value = part("aggregate."+v.Kind+".json", field.Spec{JSON: v.JSON, Header: v.Header})
	}
	if errs != nil {
		return nil, errors.Join(errs...)
	}
	t, err := window.NewTransform(a)
	if err != nil {
		return nil, b.located(at+"window", err)
	}
	return t, nil
}

// windows returns the windows that a config describes.
func windows(w *config.Window) window.Spec {
	s := window.Spec{Offset: w.Offset, Lateness: w.Lateness, EveryRecords: w.Every.Records, Every: w.Every.Time}
	switch {
	case w.Fixed != 0:
		s.Kind, s.Size = window.Fixed, w.Fixed
	case w.Sliding != nil:
		s.Kind, s.Size, s.Slide, s.MaxPerRecord = window.Sliding, w.Sliding.Size, w.Sliding.Slide, w.Sliding.MaxPerRecord
	case w.Session != 0:
		s.Kind, s.Gap = window.Session, w.Session
	default:
		s.Kind = window.Global
	}
	return s
}
