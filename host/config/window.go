package config

import (
	"fmt"
	"reflect"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// Window says how event times fall into windows, by one of Fixed, Sliding, Session
// and Global, and when these give results besides that at their end.
type Window struct {
	Fixed   time.Duration `koanf:"fixed"`   // one after the other, this long
	Sliding *Sliding      `koanf:"sliding"` // overlapping
	Session time.Duration `koanf:"session"` // of one key, until it was silent for so long
	Global  bool          `koanf:"global"`  // one for all times

	Offset   time.Duration `koanf:"offset"`   // of the boundaries of Fixed and Sliding, otherwise at multiples since 1970 in UTC
	Lateness time.Duration `koanf:"lateness"` // how long after its end a window takes records
	Every    Every         `koanf:"every"`
}

// Sliding is windows of a size, of which one begins each Slide.
type Sliding struct {
	Size         time.Duration `koanf:"size"`
	Slide        time.Duration `koanf:"slide"`
	MaxPerRecord int           `koanf:"maxPerRecord"` // that one record may be in
}

// Every asks for results before the end of a window.
type Every struct {
	Records int           `koanf:"records"` // after so many; 0 = none
	Time    time.Duration `koanf:"time"`    // as event time passes its multiples; 0 = none
}

const (
	minWindow = time.Millisecond
	maxWindow = 10 * 366 * 24 * time.Hour
	maxEvery  = 1 << 30 // records
)

// window fills a Window and checks it.
func (b *binder) window(p path, in any, out reflect.Value) {
	w := out.Addr().Interface().(*Window)
	b.fields(p, in, out)
	keys, ok := in.(map[string]any)
	if !ok {
		return
	}
	fixed, session := w.Fixed != 0 || keys["fixed"] != nil, w.Session != 0 || keys["session"] != nil
	b.one(p, "what the windows are", "write one of fixed: 1m, sliding: {size: 1m, slide: 10s}, session: 30s and global: true",
		way{"fixed", fixed}, way{"sliding", w.Sliding != nil}, way{"session", session}, way{"global", w.Global})
	if fixed {
		b.span(p.key("fixed"), w.Fixed)
	}
	if session {
		b.span(p.key("session"), w.Session)
	}
	if at := p.key("offset"); w.Offset != 0 && !fixed && w.Sliding == nil {
		b.fault(at, stream.ConfigValue, "only fixed and sliding windows have boundaries to move", "remove it")
	} else {
		within(b, at, w.Offset, -maxWindow, maxWindow)
	}
	within(b, p.key("lateness"), w.Lateness, 0, maxWindow)
	within(b, p.key("every").key("records"), w.Every.Records, 0, maxEvery)
	if w.Every.Time != 0 {
		b.span(p.key("every").key("time"), w.Every.Time)
	}
}

// span checks how long something is, unless it could not be read.
func (b *binder) span(p path, d time.Duration) {
	if !b.about(p) {
		within(b, p, d, minWindow, maxWindow)
	}
}

// sliding fills a Sliding and checks it.
func (b *binder) sliding(p path, in any, out reflect.Value) {
	s := out.Addr().Interface().(*Sliding)
	s.MaxPerRecord = 1000
	b.fields(p, in, out)
	keys, ok := in.(map[string]any)
	if !ok {
		return
	}
	for _, d := range []struct {
		key  string
		span time.Duration
		fix  string
	}{{"size", s.Size, "write size: and how long a window is, such as 1m"}, {"slide", s.Slide, "write slide: and how often one begins, such as 10s"}} {
		if d.span == 0 && keys[d.key] == nil {
			b.missing(p, d.key, d.fix)
		} else {
			b.span(p.key(d.key), d.span)
		}
	}
	within(b, p.key("maxPerRecord"), s.MaxPerRecord, 1, maxRecords)
	at := p.key("slide")
	if s.Size < minWindow || s.Slide < minWindow || b.about(at) || b.about(p.key("size")) {
		return
	}
	switch per := (s.Size-1)/s.Slide + 1; {
	case s.Slide > s.Size:
		b.fault(at, stream.ConfigValue, fmt.Sprintf("the windows begin every %v and last %v, so records in between would be in none", s.Slide, s.Size), "write a slide of at most the size")
	case int64(per) > int64(s.MaxPerRecord):
		b.fault(at, stream.ConfigValue, fmt.Sprintf("each record would be in %d windows, more than %d", int64(per), s.MaxPerRecord), "slide by more, or raise maxPerRecord")
	}
}
