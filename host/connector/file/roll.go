package file

import (
	"fmt"
	"math"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// partMark stands in a path for the number of a part.
const partMark = "{part}"

// Roll says when a part ends. Without either, it ends at each checkpoint; in a
// run without checkpoints, with the run.
type Roll struct {
	// Size ends a part after the batch that makes it as large; 0 = never.
	Size Size `koanf:"size"`
	// Time ends a part this long after its first record; 0 = never.
	Time time.Duration `koanf:"time"`
}

// set says whether parts are to stay open beyond a checkpoint.
func (r Roll) set() bool { return r.Size > 0 || r.Time > 0 }

// due says whether a part that began at a time is to end.
func (r Roll) due(size int64, began time.Time) bool {
	return r.Size > 0 && size >= int64(r.Size) || r.Time > 0 && time.Since(began) >= r.Time
}

func (r Roll) validate(path string, report func(path, why, fix string)) {
	dir, base := filepath.Split(path)
	switch n := strings.Count(base, partMark); {
	case strings.Contains(dir, partMark):
		report("path", "folders cannot have the number of a part", "write "+partMark+" in the name of the file alone")
	case n > 1:
		report("path", "the name has "+partMark+" more than once", "write it once")
	case n == 0 && r.set():
		report("roll", "the path has no place for the number of a part", "write "+partMark+" in its name, such as out/"+partMark+".ndjson")
	}
	if r.Size < 0 {
		report("roll.size", "a size cannot be negative", "use 0 for parts without a limit")
	}
	if r.Time < 0 || r.Time > 0 && r.Time < time.Millisecond {
		report("roll.time", "the time "+r.Time.String()+" is too short", "use 1ms or more, or 0s for parts without a limit")
	}
}

// Size is a number of bytes. It is written as a plain number or with a unit,
// such as 64MiB.
type Size int64

var units = [...]struct {
	name string
	size int64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1}, {"", 1},
}

// UnmarshalText reads a size; the error is a *stream.Error.
func (s *Size) UnmarshalText(text []byte) error {
	for _, u := range units {
		number, ok := strings.CutSuffix(strings.TrimSpace(string(text)), u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
		if err != nil || n < 0 || n > math.MaxInt64/u.size {
			break
		}
		*s = Size(n * u.size)
		return nil
	}
	return &stream.Error{
		Code: stream.ConfigValue,
		Why:  strconv.Quote(string(text)) + " is not a size",
		Fix:  "write a whole number with a unit, such as 64MiB or 1GB, or without one for bytes",
	}
}

// partNumber matches what stands for partMark: the epoch in which a part was
// prepared first, and its index therein.
var partNumber = regexp.MustCompile(`^([0-9]{8,19})-([0-9]{4,9})$`)

// partName returns the name of a part by the base name of a path.
func partName(base string, epoch uint64, index int) string {
	return strings.Replace(base, partMark, fmt.Sprintf("%08d-%04d", epoch, index), 1)
}

// partEpoch returns the epoch in the name of a part.
func partEpoch(base, name string) (uint64, bool) {
	before, after, _ := strings.Cut(base, partMark)
	if len(name) < len(before)+len(after) || !strings.HasPrefix(name, before) || !strings.HasSuffix(name, after) {
		return 0, false
	}
	m := partNumber.FindStringSubmatch(name[len(before) : len(name)-len(after)])
	if m == nil {
		return 0, false
	}
	epoch, err := strconv.ParseUint(m[1], 10, 64)
	return epoch, err == nil
}
