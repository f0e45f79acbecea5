package control

import (
	"errors"
	"fmt"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/field"
	"github.com/wasmill/wasmill/host/stream"
)

// key returns a function that finds the keys of the records of vertex i, each as the
// edge says by which it came, else as the vertex says. A key is valid until the next
// call; false says that the record has none. Only one goroutine may call it.
func (b *build) key(i int) (func(*stream.Batch, int) ([]byte, bool), error) {
	c := &b.config.Vertices[i]
	own, err := b.keyOf(fmt.Sprintf("vertices[%d].key", i), &c.Key)
	errs := []error{err}
	var byPort []func(*stream.Batch, int) ([]byte, bool)
	differ := false
	for k, e := range b.config.Edges {
		if e.To != c.Name {
			continue
		}
		of := own
		if e.Key != nil {
			differ = true
			of, err = b.keyOf(fmt.Sprintf("edges[%d].key", k), e.Key)
			errs = append(errs, err)
		}
		byPort = append(byPort, of)
	}
	if err := errors.Join(errs...); err != nil || !differ {
		return own, err
	}
	return func(b *stream.Batch, i int) ([]byte, bool) { return byPort[b.Records[i].Port](b, i) }, nil
}

// keyOf compiles what stands in the config at a place.
func (b *build) keyOf(at string, k *config.Key) (func(*stream.Batch, int) ([]byte, bool), error) {
	if k.Key {
		return func(b *stream.Batch, i int) ([]byte, bool) { return b.Key(i), true }, nil
	}
	e, err := field.Parse(field.Spec{JSON: k.JSON, Header: k.Header})
	if err != nil {
		return nil, b.located(at+".json", err)
	}
	return e.Bytes, nil
}
