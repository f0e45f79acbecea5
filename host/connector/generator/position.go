package generator

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"

	"github.com/wasmill/wasmill/host/stream"
)

// appendPosition adds the number of the next record as JSON.
func appendPosition(dst []byte, next uint64) []byte {
	dst = strconv.AppendUint(append(dst, `{"next":`...), next, 10)
	return append(dst, '}')
}

// parsePosition reads what appendPosition wrote.
func parsePosition(p stream.Position) (next uint64, err error) {
	var pos struct {
		Next *uint64 `json:"next"`
	}
	d := json.NewDecoder(bytes.NewReader(p))
	d.DisallowUnknownFields()
	err = d.Decode(&pos)
	if err == nil && (pos.Next == nil || d.InputOffset() != int64(len(p))) {
		err = errors.New("not a number alone")
	}
	if err != nil {
		return 0, &stream.Error{
			Code: stream.PositionInvalid,
			Why:  "the stored position is not that of a generator",
			Fix:  "if the source was another one before, make a fresh start",
			Err:  err,
		}
	}
	return *pos.Next, nil
}
