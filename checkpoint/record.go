package checkpoint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/wasmill/wasmill/host/stream"
)

// record is the object whose creation publishes a checkpoint, or, without a manifest,
// marks it as committed.
type record struct {
	Format     int          `json:"format"`
	Epoch      stream.Epoch `json:"epoch"`
	Generation Generation   `json:"generation"`
	Nonce      string       `json:"nonce"`
	Manifest   string       `json:"manifest,omitempty"` // below the pipeline's folder
	Bytes      int64        `json:"bytes,omitempty"`    // of the manifest
	CRC32C     Sum          `json:"crc32c,omitempty"`
}

// A record ends, in this format and all to come, with the CRC-32C of what is before
// that field: a flipped bit in the format is damage, and no later format.
const checkField = `,"check":"00000000"}`

func (r record) encode() ([]byte, error) {
	data, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	data = data[:len(data)-1]
	return fmt.Appendf(data, `,"check":"%08x"}`, sumOf(data)), nil
}

func decodeRecord(name string, e stream.Epoch, data []byte) (record, error) {
	var r record
	cut := max(0, len(data)-len(checkField))
	if string(data[cut:]) != fmt.Sprintf(`,"check":"%08x"}`, sumOf(data[:cut])) {
		return r, damaged(name, "the record has not the sum that was written")
	}
	if err := checkFormat(name, data); err != nil {
		return r, err
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return r, damaged(name, "the record is no JSON of format %d: %v", Format, err)
	}
	if r.Epoch != e || r.Generation == 0 || r.Nonce == "" || r.Manifest != manifestOf(r.Generation, e) {
		return r, damaged(name, "the record contradicts itself or its name")
	}
	return r, nil
}

// readManifest returns the manifest that the record of an epoch names.
func readManifest(ctx context.Context, s Store, l layout, e stream.Epoch) (*Manifest, error) {
	body, err := getWhole(ctx, s, l.record(e))
	if err != nil {
		return nil, err
	}
	r, err := decodeRecord(l.record(e), e, body)
	if err != nil {
		return nil, err
	}
	name := l.object(r.Manifest)
	data, err := getWhole(ctx, s, name)
	if err != nil {
		return nil, err
	}
	if int64(len(data)) != r.Bytes || sumOf(data) != r.CRC32C {
		return nil, damaged(name, "it has %d bytes with sum %08x instead of %d with %08x", len(data), sumOf(data), r.Bytes, r.CRC32C)
	}
	m, err := DecodeManifest(name, data)
	if err != nil {
		return nil, err
	}
	if m.Epoch != e || m.Generation != r.Generation || m.Nonce != r.Nonce || m.Pipeline != string(l) {
		return nil, damaged(name, "it is of epoch %d and generation %d of %q", m.Epoch, m.Generation, m.Pipeline)
	}
	return m, nil
}

// getWhole reads an object that has to be there.
func getWhole(ctx context.Context, s Store, name string) ([]byte, error) {
	data, err := get(ctx, s, name)
	if errors.Is(err, ErrNotFound) {
		return nil, damaged(name, "the object is gone")
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return data, nil
}
