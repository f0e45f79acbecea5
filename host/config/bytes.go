package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/wasmill/wasmill/host/stream"
)

// Bytes is a size. It is written as a plain number or with one of the units
// B, KB, MB, GB, TB (powers of 1000) and KiB, MiB, GiB, TiB (powers of 1024).
type Bytes int64

// The binary units.
const (
	KiB Bytes = 1 << 10
	MiB Bytes = 1 << 20
	GiB Bytes = 1 << 30
	TiB Bytes = 1 << 40
)

func unit(name string) (Bytes, bool) {
	switch name {
	case "", "B":
		return 1, true
	case "KB", "kB":
		return 1e3, true
	case "MB":
		return 1e6, true
	case "GB":
		return 1e9, true
	case "TB":
		return 1e12, true
	case "KiB":
		return KiB, true
	case "MiB":
		return MiB, true
	case "GiB":
		return GiB, true
	case "TiB":
		return TiB, true
	}
	return 0, false
}

// UnmarshalText reads a size; the error is a *stream.Error.
func (b *Bytes) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	end := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(s)
	}
	n, err := strconv.ParseInt(s[:end], 10, 64)
	size, ok := unit(strings.TrimSpace(s[end:]))
	if err != nil || !ok || n > math.MaxInt64/int64(size) {
		return &stream.Error{
			Code: stream.ConfigValue,
			Why:  fmt.Sprintf("%q is not a size", shorten(s)),
			Fix:  "write a whole number with a unit, such as 512KiB, 64MiB or 1GB, or without one for bytes",
		}
	}
	*b = Bytes(n) * size
	return nil
}

// String writes a size so that it can be read back, in the largest binary unit
// without a fraction.
func (b Bytes) String() string {
	for _, u := range [...]struct {
		size Bytes
		name string
	}{{TiB, "TiB"}, {GiB, "GiB"}, {MiB, "MiB"}, {KiB, "KiB"}} {
		if b != 0 && b%u.size == 0 {
			return strconv.FormatInt(int64(b/u.size), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(b), 10)
}
