package window

import (
	"fmt"
	"math"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// Kind says how event times fall into windows.
type Kind string

const (
	Fixed   Kind = "fixed"   // one after the other, Size long
	Sliding Kind = "sliding" // Size long, a new one each Slide
	Session Kind = "session" // of one key, until Gap passes without a record
	Global  Kind = "global"  // one for all times
)

// DefaultMaxPerRecord is Spec.MaxPerRecord where that is 0.
const DefaultMaxPerRecord = 1000

// Spec says what the windows of a vertex are and when they give results. Kind,
// Size, Slide, Gap and Offset decide what the stored state means: with others of
// them, state begins anew. The rest may change between a snapshot and its restore.
type Spec struct {
	Kind  Kind
	Size  time.Duration // of fixed and sliding windows
	Slide time.Duration // of sliding windows, at most Size
	Gap   time.Duration // of sessions
	// Offset moves the boundaries of fixed and sliding windows, which otherwise
	// lie at multiples of Size or Slide since 1970 in UTC: -2h for the days of a
	// zone that is two hours ahead. Times are UTC throughout: there is no hour
	// that comes twice, and a zone that changes its clocks needs two offsets.
	Offset   time.Duration
	Lateness time.Duration // how long after its end a window still takes records

	EveryRecords int           // early result after so many records; 0: none
	Every        time.Duration // early result as event time passes multiples of it; 0: none

	// MaxPerRecord bounds the sliding windows that one record is in, Size/Slide
	// rounded up. 0 is DefaultMaxPerRecord.
	MaxPerRecord int
}

// Validate returns nil, or a *stream.Error with code config-value and no place.
func (s Spec) Validate() error {
	sized := s.Kind == Fixed || s.Kind == Sliding
	most := int64(s.MaxPerRecord)
	if most == 0 {
		most = DefaultMaxPerRecord
	}
	switch {
	case !sized && s.Kind != Session && s.Kind != Global:
		return wrong(fmt.Sprintf("%q is not a kind of window", s.Kind), "write fixed, sliding, session or global")
	case sized && s.Size <= 0:
		return wrong(fmt.Sprintf("a %s window has the size %v", s.Kind, s.Size), "give a size above zero, such as 1m")
	case !sized && s.Size != 0:
		return wrong(fmt.Sprintf("a %s window has a size", s.Kind), "leave the size out, or take a fixed or sliding window")
	case s.Kind == Sliding && s.Slide <= 0:
		return wrong(fmt.Sprintf("a sliding window has the slide %v", s.Slide), "give a slide above zero and at most the size, such as 10s")
	case s.Kind == Sliding && s.Slide > s.Size:
		return wrong(fmt.Sprintf("a window slides by %v, more than its size of %v: records between two windows would be in none", s.Slide, s.Size), "give a slide of at most the size")
	case s.Kind == Sliding && (int64(s.Size)-1)/int64(s.Slide)+1 > most:
		return wrong(fmt.Sprintf("each record would be in %d windows, more than %d", (int64(s.Size)-1)/int64(s.Slide)+1, most), "slide by more, or raise the limit of windows per record")
	case s.Kind != Sliding && s.Slide != 0:
		return wrong(fmt.Sprintf("a %s window has a slide", s.Kind), "leave the slide out, or take a sliding window")
	case s.Kind == Session && s.Gap <= 0:
		return wrong(fmt.Sprintf("a session window has the gap %v", s.Gap), "give a gap above zero, such as 30s")
	case s.Kind != Session && s.Gap != 0:
		return wrong(fmt.Sprintf("a %s window has a gap", s.Kind), "leave the gap out, or take a session window")
	case !sized && s.Offset != 0:
		return wrong(fmt.Sprintf("a %s window has an offset", s.Kind), "leave the offset out: only fixed and sliding windows have boundaries to move")
	case s.Lateness < 0:
		return wrong(fmt.Sprintf("the lateness is %v", s.Lateness), "give zero or more")
	case s.EveryRecords < 0 || s.EveryRecords > maxCount:
		return wrong(fmt.Sprintf("an early result comes every %d records", s.EveryRecords), fmt.Sprintf("give a number from 1 to %d, or 0 for none", maxCount))
	case s.Every < 0:
		return wrong(fmt.Sprintf("an early result comes every %v", s.Every), "give a duration above zero, or 0 for none")
	case s.MaxPerRecord < 0:
		return wrong(fmt.Sprintf("a record may be in %d windows", s.MaxPerRecord), fmt.Sprintf("give a number above zero, or 0 for %d", DefaultMaxPerRecord))
	}
	return nil
}

func wrong(why, fix string) error {
	return &stream.Error{Code: stream.ConfigValue, Why: why, Fix: fix}
}

// Window is the half-open range of event times [Start, End), in ns since 1970.
// The global one is that of all times.
type Window struct{ Start, End int64 }

// allTime is the global window.
var allTime = Window{math.MinInt64, math.MaxInt64}

// newest returns the last fixed or sliding window, by start, that t is in, and how
// far into it t lies. Boundaries that no int64 holds, before 1677 and after 2262,
// are cut off at the first or last time.
func (s *Spec) newest(t int64) (w Window, into int64) {
	step := int64(s.Size)
	if s.Kind == Sliding {
		step = int64(s.Slide)
	}
	into = modulo(t, step) - modulo(int64(s.Offset), step)
	if into < 0 {
		into += step
	}
	return s.before(t, into), into
}

// before is the window that starts so many ns before t.
func (s *Spec) before(t, into int64) Window {
	w := Window{t - into, plus(t, int64(s.Size)-into)}
	if w.Start > t {
		w.Start = math.MinInt64
	}
	return w
}

// modulo is the remainder that is not negative; n is above zero.
func modulo(t, n int64) int64 {
	if t %= n; t < 0 {
		t += n
	}
	return t
}

// plus adds d, which is not negative, and stops at the last time.
func plus(t, d int64) int64 {
	if t > math.MaxInt64-d {
		return math.MaxInt64
	}
	return t + d
}
