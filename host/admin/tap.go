package admin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
	"unicode/utf8"
)

// Tapper shows records as they pass. Any goroutine may call it.
type Tapper interface {
	// Tap begins to observe a pipeline. Close of the Tap has to be called. The error is a
	// *stream.Error: there is no such place, or too many observe already.
	Tap(pipeline string, q TapQuery) (Tap, error)
}

// Tap observes records until Close. One goroutine calls it.
type Tap interface {
	// Take returns what passed since it was last called. It does not block. After the
	// end of the pipeline Tapped.Ended is set.
	Take() Tapped
	Close()
}

// Tapped is what passed for a while.
type Tapped struct {
	Records []TapRecord // a fair sample, in their order
	LeftOut uint64      // records that are not among them because of the rate
	Missed  uint64      // those that are not as nobody took them in time
	Absent  bool        // the place is not in the pipeline as it runs now
	Ended   bool        // nothing more will pass
}

// TapRecord is a record that passed. Its JSON has text as text, and bytes that are not
// UTF-8 in members of their own, as base64.
type TapRecord struct {
	Time       time.Time // of the event
	Key, Value TapBytes
	Headers    []TapHeader
	// HeadersBytes is their size if they are too large to be shown, else 0.
	HeadersBytes int
	Tag          string
	DeadLetter   bool
	Unrouted     bool // no edge takes it
	Vertex       string
	Edge         string // FROM->TO, if that is tapped
}

// TapHeader is one header of a record.
type TapHeader struct {
	Name  string
	Value []byte
}

// TapBytes is the beginning of some bytes.
type TapBytes struct {
	Begin []byte
	Size  int // of all
}

// MarshalJSON implements json.Marshaler.
func (r TapRecord) MarshalJSON() ([]byte, error) {
	out := object{"time": r.Time}
	put := func(name string, b []byte, size int, into object) {
		if cut := len(b) < size; cut {
			into[name+"_bytes"] = size
			b = wholeRunes(b)
		}
		if utf8.Valid(b) {
			into[name] = string(b)
		} else {
			into[name+"_base64"] = b
		}
	}
	if r.Key.Size > 0 {
		put("key", r.Key.Begin, r.Key.Size, out)
	}
	put("value", r.Value.Begin, r.Value.Size, out)
	if len(r.Headers) > 0 {
		all := []object{}
		for _, h := range r.Headers {
			one := object{}
			put("name", []byte(h.Name), len(h.Name), one)
			put("value", h.Value, len(h.Value), one)
			all = append(all, one)
		}
		out["headers"] = all
	}
	for name, value := range map[string]string{"tag": r.Tag, "vertex": r.Vertex, "edge": r.Edge} {
		if value != "" {
			out[name] = value
		}
	}
	for name, yes := range map[string]bool{"dead_letter": r.DeadLetter, "unrouted": r.Unrouted} {
		if yes {
			out[name] = true
		}
	}
	if r.HeadersBytes > 0 {
		out["headers_bytes"] = r.HeadersBytes
	}
	return json.Marshal(out)
}

// wholeRunes leaves out a rune at the end that is cut in two.
func wholeRunes(b []byte) []byte {
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		if last := b[len(b)-n:]; utf8.RuneStart(last[0]) {
			if !utf8.FullRune(last) {
				return b[:len(b)-n]
			}
			break
		}
	}
	return b
}

// tapEvery is the time between two looks at a tap.
const tapEvery = 100 * time.Millisecond

// tap writes records as they pass, as server-sent events.
func (s *Server) tap(q *request) error {
	query, err := q.tapQuery()
	if err != nil {
		return err
	}
	p, err := s.named(q)
	if err != nil {
		return err
	}
	t, err := s.tapper.Tap(p.Name, query)
	if err != nil {
		return err
	}
	defer t.Close()
	w := &feed{ResponseWriter: q.w, control: http.NewResponseController(q.w)}
	q.w.Header().Set("Content-Type", "text/event-stream")
	q.w.WriteHeader(http.StatusOK)
	w.send([]byte(": records\n\n"))
	look, beat := time.NewTicker(tapEvery), time.NewTicker(heartbeat)
	defer look.Stop()
	defer beat.Stop()
	f := tapFeed{feed: w, left: query.Limit}
	for w.err == nil && !f.ended {
		select {
		case <-look.C:
			f.show(t.Take())
		case <-beat.C:
			w.send([]byte(": alive\n\n"))
		case <-q.r.Context().Done():
			return nil
		}
	}
	return nil // all is told, or the peer is gone or does not read
}

// tapFeed writes what passed.
type tapFeed struct {
	*feed
	left   int // records until the end; 0 = there is none
	absent bool
	ended  bool
}

func (f *tapFeed) show(got Tapped) {
	if f.absent != got.Absent {
		f.absent = got.Absent
		f.tell("absent", object{"absent": got.Absent})
	}
	full := f.left > 0 && len(got.Records) >= f.left
	if full {
		got.LeftOut += uint64(len(got.Records) - f.left)
		got.Records = got.Records[:f.left]
	}
	f.left -= min(f.left, len(got.Records))
	for i := range got.Records {
		f.tell("record", got.Records[i])
	}
	if got.LeftOut > 0 || got.Missed > 0 {
		f.tell("missed", object{"missed": got.Missed, "left_out": got.LeftOut})
	}
	switch {
	case full:
		f.tell("end", object{"why": "limit"})
	case got.Ended:
		f.tell("end", object{"why": "pipeline"})
	default:
		return
	}
	f.ended = true
}

func (f *tapFeed) tell(event string, what any) {
	text, err := json.Marshal(what)
	if err != nil {
		panic("BUG: admin: a record has no JSON: " + err.Error())
	}
	f.send(fmt.Appendf(nil, "event: %s\ndata: %s\n\n", event, text))
}
