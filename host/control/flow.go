package control

import (
	"errors"
	"fmt"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/field"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
)

// Headers that a dead letter has besides those of package pipeline.
const (
	headerPipeline   = "wasmill-pipeline"
	headerPlugin     = "wasmill-plugin"
	headerPluginHash = "wasmill-plugin-hash"
)

// flow returns a vertex that moves records as its config says.
func (b *build) flow(i int) pipeline.Vertex {
	c := &b.config.Vertices[i]
	return pipeline.Vertex{
		Name:           c.Name,
		Concurrency:    c.Concurrency.Max,
		MinConcurrency: c.Concurrency.Min,
		Order:          pipeline.Order(c.Order),
		Call:           pipeline.Limit{Records: c.Batch.MaxRecords, Bytes: int(c.Batch.MaxBytes)},
		CallTime:       c.Batch.MaxTime,
		Queue:          stage(c.Queue),
		QueueFull:      pipeline.Full(c.Queue.WhenFull),
		Processing:     limit(c.Processing),
		Output:         stage(c.Output),
		OutputFull:     pipeline.Full(c.Output.WhenFull),
		Retry:          pipeline.Retry(c.Retry),
		OnError:        pipeline.OnError(c.OnError),
		EventTime:      b.eventTime(i),
	}
}

func limit(b config.Batch) pipeline.Limit {
	return pipeline.Limit{Records: b.MaxRecords, Bytes: int(b.MaxBytes)}
}

func stage(s config.Stage) pipeline.Limit {
	return pipeline.Limit{Records: s.MaxRecords, Bytes: int(s.MaxBytes)}
}

// eventTime compiles what a source says of event times, nil if that is nothing.
func (b *build) eventTime(i int) *pipeline.EventTime {
	c := &b.config.Vertices[i]
	if c.EventTime == nil {
		if c.IdleTimeout == 0 {
			return nil
		}
		return &pipeline.EventTime{IdleTimeout: c.IdleTimeout}
	}
	spec := field.Spec{JSON: c.EventTime.JSON, Header: c.EventTime.Header, Key: c.EventTime.Key}
	at := fmt.Sprintf("vertices[%d].eventTime.", i)
	if _, err := field.Parse(spec); err != nil {
		b.errs = append(b.errs, b.located(at+"json", err))
		return nil
	}
	read, err := field.ParseTime(spec, c.EventTime.Format)
	if err != nil {
		b.errs = append(b.errs, b.located(at+"format", err))
		return nil
	}
	return &pipeline.EventTime{Of: read.Of, MaxOutOfOrder: c.EventTime.MaxOutOfOrder, IdleTimeout: c.IdleTimeout}
}

// located gives the place of a value to an error that has none.
func (b *build) located(value string, err error) error {
	var e *stream.Error
	if !errors.As(err, &e) {
		return err
	}
	at := *e
	at.Where = b.config.Where(value)
	return &at
}

// headers returns those of the dead letters of a vertex, whose plugin has the hash code;
// empty = it has none.
func (b *build) headers(c *config.Vertex, code string) []pipeline.Header {
	all := []pipeline.Header{{Name: headerPipeline, Value: b.config.Name}}
	if c.UDF != nil {
		all = append(all, pipeline.Header{Name: headerPlugin, Value: c.UDF.Plugin})
	}
	if code != "" {
		all = append(all, pipeline.Header{Name: headerPluginHash, Value: code})
	}
	return all
}
