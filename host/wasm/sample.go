package wasm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/wasmill/wasmill/abi"
	"github.com/wasmill/wasmill/abi/abitest"
	"github.com/wasmill/wasmill/host/stream"
)

// Cost is what the records of a sample cost. Times and fuel are medians of the
// rounds, counts those of one round.
type Cost struct {
	Records       int     `json:"records"`
	Rounds        int     `json:"rounds"`
	NSPerRecord   float64 `json:"ns_per_record"`   // calls, with their frames
	FuelPerRecord float64 `json:"fuel_per_record"` // 0 if the plugin is not metered
	RecordsOut    int     `json:"records_out"`
	BytesOut      int     `json:"bytes_out"` // keys, values and headers
	Errors        int     `json:"errors"`    // records that the plugin could not handle
	FirstError    string  `json:"first_error,omitempty"`
}

// A sample goes through the plugin at least sampleRounds times, and until it
// took sampleTime. Its calls are as large as those of a vertex with defaults.
const (
	sampleRounds  = 5
	sampleTime    = 300 * time.Millisecond
	sampleFuel    = 1 << 60 // more than a guest can use before its deadline
	sampleRecords = 1024
	sampleBytes   = 1 << 20
)

// Sample measures what records with these values cost, in calls as a pipeline
// makes them, one at a time. The error is that of the guest, if it does not get
// through; what c says of instances, tags and events is not used. A plugin of kind
// process finds empty state in each round, and each value is the key of its record; one of kind
// aggregate gets the values of a call in one window, and is asked for its result.
func (p *Plugin) Sample(ctx context.Context, c Config, values [][]byte) (cost Cost, err error) {
	counted := *p
	counted.limits.Fuel = sampleFuel // so that what is used is counted
	c.Instances, c.Tags, c.Events = 1, stream.NewTagTable(p.Description.Tags...), stream.Events{}
	t, err := counted.Transform(ctx, c)
	if err != nil {
		return cost, err
	}
	defer func() { err = errors.Join(err, t.Close(ctx)) }()
	s := sampling{transform: t, keyed: p.Description.Kind == abi.KindProcess, calls: callsOf(values), in: (&stream.BatchPool{}).New(), out: stream.Output{Batch: (&stream.BatchPool{}).New()}}
	cost.Records = len(values)
	var times, fuels []float64
	for began := time.Now(); cost.Rounds < sampleRounds || time.Since(began) < sampleTime; cost.Rounds++ {
		one := Cost{Records: cost.Records, Rounds: cost.Rounds}
		took, fuel, err := s.round(ctx, &one)
		if err != nil {
			return cost, err
		}
		cost = one
		times, fuels = append(times, float64(took.Nanoseconds())), append(fuels, float64(fuel))
	}
	cost.NSPerRecord, cost.FuelPerRecord = median(times)/float64(len(values)), median(fuels)/float64(len(values))
	return cost, nil
}

// callsOf cuts a sample into the batches of its calls.
func callsOf(values [][]byte) (calls []*stream.Batch) {
	var b *stream.Batch
	for i, v := range values {
		if b == nil || b.Len() == sampleRecords || b.Bytes()+len(v) > sampleBytes {
			b = (&stream.BatchPool{}).New()
			calls = append(calls, b)
		}
		b.Append(0, nil, v, nil)
		b.Records[b.Len()-1].Seq = stream.Seq(i)
	}
	return calls
}

// sampling is one run of Sample.
type sampling struct {
	transform *Transform
	keyed     bool
	calls     []*stream.Batch
	in        *stream.Batch // a copy for the call, which may take its arena
	out       stream.Output
}

// round makes all calls once and counts what comes out.
func (s *sampling) round(ctx context.Context, c *Cost) (took time.Duration, fuel int64, err error) {
	state := abitest.NewState()
	for n, call := range s.calls {
		state.Begin(frameOf(call))
		s.in.Reset()
		s.in.AppendAll(call)
		s.out.Reset()
		s.out.Failures = s.out.Failures[:0]
		start := time.Now()
		if err := s.call(ctx, state); err != nil {
			return 0, 0, fmt.Errorf("call %d of %d: %w", n+1, len(s.calls), err)
		}
		took += time.Since(start)
		fuel += s.fuel(ctx)
		c.RecordsOut += s.out.Len()
		for i := range s.out.Records {
			c.BytesOut += len(s.out.Key(i)) + len(s.out.Value(i)) + len(s.out.Headers(i))
		}
		if c.Errors += len(s.out.Failures); c.FirstError == "" && len(s.out.Failures) > 0 {
			c.FirstError = s.out.Failures[0].Reason
		}
	}
	return took, fuel, nil
}

func (s *sampling) call(ctx context.Context, state *abitest.State) error {
	switch {
	case s.keyed:
		return s.transform.Process(ctx, state, s.in, &s.out)
	case s.transform.plugin.Description.Kind == abi.KindAggregate:
		return s.fold(ctx)
	}
	return s.transform.Call(ctx, s.in, &s.out)
}

// fold adds the records of a call to one window, and asks for its result.
func (s *sampling) fold(ctx context.Context) error {
	p := stream.Panes{Batch: s.in, Records: s.in.Records, Watermark: stream.NoWatermark}
	p.Table = []stream.Pane{{End: int64(time.Minute), Count: uint32(s.in.Len())}}
	if err := s.transform.Add(ctx, &p, &s.out); err != nil || len(s.out.Failures) > 0 {
		return err
	}
	p.Records = nil
	return s.transform.Result(ctx, &p, &s.out)
}

// frameOf returns what a state has to know of a call.
func frameOf(b *stream.Batch) []abitest.Record {
	frame := make([]abitest.Record, b.Len())
	for i := range frame {
		frame[i] = abitest.Record{Time: b.Records[i].Time, Key: string(b.Value(i))}
	}
	return frame
}

// fuel returns what the last call used.
func (s *sampling) fuel(ctx context.Context) int64 {
	i, err := s.transform.pool.borrow(ctx)
	if err != nil {
		return 0
	}
	defer s.transform.pool.put(i)
	if i.clock.fuel == nil {
		return 0
	}
	return sampleFuel - i.clock.budget - int64(i.clock.fuel.Get())
}

// median returns the middle value, the higher of two; 0 if there is none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(values))[len(values)/2]
}
