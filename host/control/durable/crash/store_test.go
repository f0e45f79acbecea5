package crash_test

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/checkpoint/dir"
	"github.com/wasmill/wasmill/checkpoint/s3"
	"github.com/wasmill/wasmill/checkpoint/storetest"
)

// openStore opens the store, with what stops the worker around what fails around what
// notes.
func (w *worker) openStore() (checkpoint.Store, error) {
	var err error
	if w.store.Store, err = w.Bucket.open(storeName); err != nil {
		return nil, err
	}
	w.store.faults = &storetest.Faulty{Store: w.store}
	w.store.positions = make(map[string]int)
	return &stepping{w.store.faults, &w.steps}, nil
}

// bucket is where an S3 server has the store.
type bucket struct{ Endpoint, Name, AccessKey, SecretKey, Prefix string }

// open opens the store there, or in a folder if there is no bucket.
func (b *bucket) open(folder string) (checkpoint.Store, error) {
	if b == nil {
		return dir.Open(folder)
	}
	return s3.New(s3.Config{
		Endpoint: b.Endpoint, Bucket: b.Name, Prefix: b.Prefix, RequestTimeout: time.Minute,
		Credentials: s3.Credentials{AccessKey: b.AccessKey, SecretKey: b.SecretKey},
	})
}

// watched is a store that notes which checkpoints are published, and where the source
// stood.
type watched struct {
	checkpoint.Store
	ledger    *ledger
	faults    *storetest.Faulty
	positions map[string]int // by epoch; one goroutine publishes
}

func (s *watched) Put(ctx context.Context, name string, data []byte) error {
	if parts := strings.Split(name, "/"); strings.HasSuffix(name, "/manifest.json") {
		m, err := checkpoint.DecodeManifest(name, data)
		if err != nil {
			return err
		}
		s.positions[parts[2]] = positionIn(m)
	}
	return s.Store.Put(ctx, name, data)
}

func (s *watched) Create(ctx context.Context, name string, data []byte) error {
	err := s.Store.Create(ctx, name, data)
	if _, epoch, ok := strings.Cut(name, "/epochs/"); ok && err == nil && bytes.Contains(data, []byte(`"manifest"`)) {
		number, _ := strconv.Atoi(epoch)
		s.ledger.note("published", number, s.positions[epoch])
	}
	return err
}

// metaOf reads what a manifest says of a vertex.
func metaOf(v *checkpoint.VertexState) (meta struct {
	Position []byte
	InFlight int `json:"in_flight"`
}) {
	if err := json.Unmarshal(v.Meta, &meta); err != nil {
		panic(err)
	}
	return meta
}

// positionIn returns where a manifest says that the source stood.
func positionIn(m *checkpoint.Manifest) int {
	return decodePosition(metaOf(m.Vertex(numbersName)).Position)
}

// inFlightIn returns how many records it says were in flight.
func inFlightIn(m *checkpoint.Manifest) (n int) {
	for i := range m.Vertices {
		n += metaOf(&m.Vertices[i]).InFlight
	}
	return n
}

// stepping is a store where the worker comes by steps.
type stepping struct {
	checkpoint.Store
	steps *steps
}

func (s *stepping) Put(ctx context.Context, name string, data []byte) error {
	if strings.HasSuffix(name, "/manifest.json") {
		s.steps.by("data before the manifest")
		return s.Store.Put(ctx, name, data)
	}
	began, done := make(chan struct{}), make(chan error, 1)
	go func() {
		close(began)
		done <- s.Store.Put(ctx, name, data)
	}()
	<-began
	s.steps.by("mid upload")
	return <-done
}

func (s *stepping) Create(ctx context.Context, name string, data []byte) error {
	before, after := "", ""
	switch {
	case strings.Contains(name, "/epochs/"):
		before, after = "the manifest before the record", "the record before the sinks"
	case strings.Contains(name, "/committed/"):
		before, after = "the sinks before the mark", "the mark"
	case strings.Contains(name, "/generations/"):
		after = "a claim"
	}
	s.steps.by(before)
	err := s.Store.Create(ctx, name, data)
	if err == nil {
		s.steps.by(after)
	}
	return err
}

func (s *stepping) Get(ctx context.Context, name string) ([]byte, error) {
	data, err := s.Store.Get(ctx, name)
	if strings.Contains(name, "/data-") {
		s.steps.by("mid restore")
	}
	return data, err
}

func (s *stepping) Delete(ctx context.Context, names ...string) error {
	if err := s.Store.Delete(ctx, names[:len(names)/2]...); err != nil {
		return err
	}
	s.steps.by("mid collection")
	return s.Store.Delete(ctx, names...)
}

func (s *stepping) List(ctx context.Context, prefix string) iter.Seq2[checkpoint.Object, error] {
	return s.Store.List(ctx, prefix)
}
