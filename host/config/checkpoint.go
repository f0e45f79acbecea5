package config

import (
	"fmt"
	"reflect"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// Checkpoint says how a pipeline is checkpointed.
type Checkpoint struct {
	Storage Storage // fixed for as long as the pipeline runs
	Live    CheckpointSettings
}

// CheckpointSettings is what may change while the pipeline runs. All of it applies to
// the next decision.
type CheckpointSettings struct {
	Interval  Interval
	Retain    int           // the newest that can be restored; at least 1
	RetainFor time.Duration // and all that are younger

	Timeout      time.Duration // from the start until it is published; 0 = any
	MinPause     time.Duration // from the end of one to the start of the next
	AlignTimeout time.Duration // that barriers wait for each other; then what they wait behind is stored, too; 0 = any

	TolerableFailures int // in a row; one more ends the pipeline
}

// checkpointKeys is a Checkpoint as it is written.
type checkpointKeys struct {
	Interval          Interval      `koanf:"interval"`
	Storage           Storage       `koanf:"storage"`
	Retain            int           `koanf:"retain"`
	RetainFor         time.Duration `koanf:"retainFor"`
	Timeout           time.Duration `koanf:"timeout"`
	MinPause          time.Duration `koanf:"minPause"`
	AlignTimeout      time.Duration `koanf:"alignTimeout"`
	TolerableFailures int           `koanf:"tolerableFailures"`
}

const (
	maxRetain    = 1000
	maxFailures  = 1_000_000
	minTimeout   = 100 * time.Millisecond
	maxTimeout   = 24 * time.Hour
	storageFix   = "write file:// and a path, as in file://./data/checkpoints or file:///var/lib/wasmill, or s3://bucket/prefix"
	zeroMeansAny = ", or 0s for any time"
)

// checkpoint fills a Checkpoint and checks it.
func (b *binder) checkpoint(p path, in any, out reflect.Value) {
	k := checkpointKeys{
		Interval: Interval{Fixed: 10 * time.Second}, Retain: 3,
		Timeout: 10 * time.Minute, AlignTimeout: 10 * time.Second, TolerableFailures: 1000,
	}
	b.fields(p, in, reflect.ValueOf(&k).Elem())
	if _, ok := in.(map[string]any); !ok {
		return
	}
	if k.Storage == (Storage{}) {
		b.missing(p, "storage", "add storage: "+storageFix[len("write "):])
	}
	within(b, p.key("retain"), k.Retain, 1, maxRetain)
	within(b, p.key("retainFor"), k.RetainFor, 0, maxWindow)
	b.timeout(p.key("timeout"), k.Timeout)
	within(b, p.key("minPause"), k.MinPause, 0, maxTimeout)
	b.timeout(p.key("alignTimeout"), k.AlignTimeout)
	within(b, p.key("tolerableFailures"), k.TolerableFailures, 0, maxFailures)
	out.Set(reflect.ValueOf(Checkpoint{Storage: k.Storage, Live: CheckpointSettings{
		Interval: k.Interval, Retain: k.Retain, RetainFor: k.RetainFor,
		Timeout: k.Timeout, MinPause: k.MinPause, AlignTimeout: k.AlignTimeout, TolerableFailures: k.TolerableFailures,
	}}))
}

// timeout reports one that is out of range; 0 is any time.
func (b *binder) timeout(p path, d time.Duration) {
	if d != 0 && (d < minTimeout || d > maxTimeout) {
		b.fault(p, stream.ConfigValue, fmt.Sprintf("%v is out of range", d), fmt.Sprintf("write %v to %v%s", minTimeout, maxTimeout, zeroMeansAny))
	}
}
