package admin

import (
	"bytes"
	"cmp"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/VictoriaMetrics/metrics"
)

// Metrics is everything that a scrape returns: what is attached, and the metrics
// of the Go runtime and of the process. The zero Metrics is ready.
type Metrics struct {
	Version string // of wasmill, set before the first scrape; "" = what the linker recorded

	mu         sync.Mutex       // held while collecting
	collectors []*func(*Writer) // guarded by mu
}

// Attach adds a collector, which is called at each scrape until detach is. It
// must not block, nor detach itself. detach may be called twice; it waits for a
// scrape that is under way.
func (m *Metrics) Attach(collect func(*Writer)) (detach func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	mine := &collect
	m.collectors = append(m.collectors, mine)
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.collectors = slices.DeleteFunc(m.collectors, func(c *func(*Writer)) bool { return c == mine })
	}
}

// text returns all metrics in the text format of Prometheus.
func (m *Metrics) text() []byte {
	out := bytes.NewBuffer(m.collect())
	metrics.ExposeMetadata(true)
	metrics.WriteProcessMetrics(out)
	metrics.WriteFDMetrics(out)
	return out.Bytes()
}

func (m *Metrics) collect() []byte {
	w := newWriter()
	w.Gauge(BuildInfo, 1, "version", cmp.Or(m.Version, version()), "go", runtime.Version())
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, collect := range m.collectors {
		(*collect)(w)
	}
	return w.text()
}

// version is what the linker recorded.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "unknown"
}
