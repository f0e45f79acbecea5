package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/pipeline"
	"github.com/wasmill/wasmill/host/stream"
)

type benchFlags struct {
	records int64
	rate    float64
	native  bool
}

func newBench(f *flags, s stdio) *cobra.Command {
	var b benchFlags
	c := &cobra.Command{
		Use:   "bench PIPELINE",
		Short: "Measure how fast a pipeline is",
		Long: `bench runs a pipeline, sinks and all, as fast as it goes and counts at its
sinks. Generators
make --records records in all, at --rate if given. With --native, plugins that
have a twin in Go (identity, identity-go) are replaced by it, as a yardstick.`,
		Example: "  wasmill bench plugins/identity/bench.yaml --records 20000000",
		Args:    args(1, 1, "a pipeline file"),
		RunE: func(c *cobra.Command, files []string) error {
			r, err := bench(c.Context(), f, b, s, files[0])
			if err != nil {
				return err
			}
			if f.json {
				printJSON(s.out, r)
				return nil
			}
			_, err = fmt.Fprintf(s.out, "records            %d\nseconds            %.3f\nrecords_per_second %.0f\nallocs_per_record  %.4f\nmax_rss_bytes      %d\nlatency_us         p50 %.0f p99 %.0f\n",
				r.Records, r.Seconds, r.RecordsPerSecond, r.AllocsPerRecord, r.MaxRSSBytes, r.LatencyUS.P50, r.LatencyUS.P99)
			return err
		},
	}
	c.Flags().Int64Var(&b.records, "records", 10_000_000, "how many records the generators make")
	c.Flags().Float64Var(&b.rate, "rate", 0, "records per second; 0 = as fast as it goes")
	c.Flags().BoolVar(&b.native, "native", false, "use Go functions instead of the plugins")
	return c
}

type benchResult struct {
	Records          uint64  `json:"records"` // written by sinks
	Seconds          float64 `json:"seconds"`
	RecordsPerSecond float64 `json:"records_per_second"`
	AllocsPerRecord  float64 `json:"allocs_per_record"` // after the first tenth
	MaxRSSBytes      int64   `json:"max_rss_bytes"`
	LatencyUS        struct {
		P50 float64 `json:"p50"`
		P99 float64 `json:"p99"`
	} `json:"latency_us"` // from source to sink
}

func bench(ctx context.Context, f *flags, b benchFlags, s stdio, file string) (r benchResult, err error) {
	o := f.options([]string{file}, s)
	set, err := unthrottle(file, o, b)
	if err != nil {
		return r, err
	}
	o.Set = append(o.Set, set...)
	if b.native {
		o.Native = natives()
	}
	h, err := host.Open(ctx, o)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, h.Close(context.WithoutCancel(ctx))) }()
	p := h.Pipelines()[0]
	steady := watchAllocs(p, uint64(b.records)/10)
	start := time.Now()
	if err := h.Run(ctx); err != nil {
		return r, err
	}
	r.Seconds = time.Since(start).Seconds()
	r.Records = written(p)
	r.AllocsPerRecord = steady(r.Records)
	r.RecordsPerSecond = float64(r.Records) / r.Seconds
	r.MaxRSSBytes = maxRSS()
	r.LatencyUS.P50 = float64(p.Latency().Quantile(0.5).Nanoseconds()) / 1e3
	r.LatencyUS.P99 = float64(p.Latency().Quantile(0.99).Nanoseconds()) / 1e3
	return r, nil
}

// unthrottle returns settings that make the generators of a pipeline produce
// what was asked for.
func unthrottle(file string, o host.Options, b benchFlags) ([]string, error) {
	c, err := host.Load(file, o)
	if err != nil {
		return nil, err
	}
	var names []stream.VertexID
	for _, v := range c.Vertices {
		if v.Source != nil && v.Source.Kind == "generator" {
			names = append(names, v.Name)
		}
	}
	var set []string
	for i, name := range names {
		at := "vertices." + string(name) + ".source.generator."
		n := int64(len(names))
		count := (b.records + n - 1 - int64(i)) / n
		set = append(set, at+"count="+strconv.FormatInt(count, 10), at+"rate="+strconv.FormatFloat(b.rate/float64(n), 'f', -1, 64))
	}
	return set, nil
}

// natives are the plugins that have a twin in Go.
func natives() map[string]func() stream.Transform {
	identity := func() stream.Transform { return identityTransform{} }
	return map[string]func() stream.Transform{"identity": identity, "identity-go": identity}
}

// identityTransform passes records through.
type identityTransform struct{}

func (identityTransform) Call(_ context.Context, in *stream.Batch, out *stream.Output) error {
	out.Records = append(out.Records, in.Records...)
	out.SwapArena(in)
	return nil
}

func (identityTransform) Close(context.Context) error { return nil }

// written counts what reached the sinks.
func written(p *host.Pipeline) (n uint64) {
	for _, s := range p.Stats() {
		if s.Role == pipeline.RoleSink {
			n += s.RecordsOut
		}
	}
	return n
}

// watchAllocs counts allocations from the time when so many records are
// written. The function it returns ends that and gives the mean per record.
func watchAllocs(p *host.Pipeline, from uint64) func(total uint64) float64 {
	var begin runtime.MemStats
	var seen uint64
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for written(p) < from {
			select {
			case <-done:
				return
			case <-time.After(time.Millisecond):
			}
		}
		runtime.ReadMemStats(&begin)
		seen = written(p)
	}()
	return func(total uint64) float64 {
		close(done)
		<-ended
		var end runtime.MemStats
		runtime.ReadMemStats(&end)
		if seen == 0 || total <= seen {
			return 0
		}
		return float64(end.Mallocs-begin.Mallocs) / float64(total-seen)
	}
}
