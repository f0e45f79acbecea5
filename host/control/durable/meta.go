package durable

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
)

// meta is what a manifest has of a vertex beside its tables.
type meta struct {
	Role        string            `json:"role"`
	Kind        string            `json:"kind,omitempty"`
	Code        string            `json:"code,omitempty"`
	State       string            `json:"state,omitempty"`
	Bound       bool              `json:"bound,omitempty"`
	Concurrency int               `json:"concurrency,omitempty"`
	From        []stream.VertexID `json:"from,omitempty"`
	Position    []byte            `json:"position,omitempty"`
	High        moment            `json:"latest,omitzero"`     // of a source: the latest event time
	Watermark   moment            `json:"watermark,omitzero"`  // the last that left
	InFlight    int               `json:"in_flight,omitempty"` // records in the table of inputs
}

func metaOf(s *Shape, p *pipeline.Snapshot) meta {
	m := meta{
		Role: s.Role, Kind: s.Kind, Code: s.Code, State: s.State, Bound: s.Bound, Concurrency: s.Concurrency, From: s.From,
		Position: p.Position, Watermark: moment(p.Watermark),
	}
	if s.Role == roleSource {
		m.High = moment(p.High)
	} else {
		m.High = none
	}
	for _, b := range p.Inputs {
		m.InFlight += b.Len()
	}
	return m
}

// roleSource is the role of sources.
const roleSource = "source"

// decodeMeta reads that of a vertex; what is missing is none.
func decodeMeta(v stream.VertexID, data json.RawMessage) (meta, error) {
	m := meta{High: none, Watermark: none}
	if err := json.Unmarshal(data, &m); err != nil {
		return m, &stream.Error{Code: stream.StateCorrupt, Where: string(v), Why: "what the checkpoint says of the vertex cannot be read", Err: err}
	}
	return m, nil
}

// moment is a time in ns since 1970, which JSON has as text for people; none and the
// end of time are words.
type moment int64

const (
	none     moment = math.MinInt64
	theEnd   moment = math.MaxInt64
	noneText        = "none"
	endText         = "end"
)

// IsZero leaves out what is none; it is what omitzero asks.
func (m moment) IsZero() bool { return m == none }

// MarshalText implements encoding.TextMarshaler.
func (m moment) MarshalText() ([]byte, error) {
	switch m {
	case none:
		return []byte(noneText), nil
	case theEnd:
		return []byte(endText), nil
	}
	return time.Unix(0, int64(m)).UTC().AppendFormat(nil, time.RFC3339Nano), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *moment) UnmarshalText(text []byte) error {
	switch string(text) {
	case noneText:
		*m = none
		return nil
	case endText:
		*m = theEnd
		return nil
	}
	t, err := time.Parse(time.RFC3339Nano, string(text))
	if err != nil {
		return err
	}
	if *m = moment(t.UnixNano()); !time.Unix(0, int64(*m)).Equal(t) {
		return fmt.Errorf("%s is out of range", text)
	}
	return nil
}
