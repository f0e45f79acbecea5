package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/wasmill/wasmill/host/stream"
)

// tapPrinter prints what a tap tells: records to out, all else to notes.
type tapPrinter struct {
	out, notes io.Writer
	json       bool

	shown, leftOut, missed uint64
}

// tappedRecord is a record as the API tells it. Text is in one member or the other.
type tappedRecord struct {
	Time         time.Time
	Key          string
	KeyBase64    []byte `json:"key_base64"`
	KeyBytes     int    `json:"key_bytes"` // of the whole, if it is cut; as those below
	Value        string
	ValueBase64  []byte `json:"value_base64"`
	ValueBytes   int    `json:"value_bytes"`
	HeadersBytes int    `json:"headers_bytes"`
	Headers      []struct {
		Name, Value string
		NameBase64  []byte `json:"name_base64"`
		ValueBase64 []byte `json:"value_base64"`
	}
	Tag        string
	DeadLetter bool `json:"dead_letter"`
	Unrouted   bool
}

// event prints one event. It returns errToldAll after the last.
func (p *tapPrinter) event(event, data string) error {
	var err error
	switch event {
	case "record":
		p.shown++
		if p.json {
			_, err = io.WriteString(p.out, harmless(data)+"\n")
			break
		}
		var r tappedRecord
		if err = json.Unmarshal([]byte(data), &r); err == nil {
			_, err = io.WriteString(p.out, r.line()+"\n")
		}
	case "missed":
		var m struct {
			Missed  uint64
			LeftOut uint64 `json:"left_out"`
		}
		err = json.Unmarshal([]byte(data), &m)
		p.missed, p.leftOut = p.missed+m.Missed, p.leftOut+m.LeftOut
	case "absent":
		var a struct{ Absent bool }
		if err = json.Unmarshal([]byte(data), &a); err == nil && a.Absent {
			fmt.Fprintln(p.notes, "the pipeline has changed, and has no such place now: nothing is shown until it has one again")
		} else if err == nil {
			fmt.Fprintln(p.notes, "the pipeline has such a place again")
		}
	case "end":
		var e struct{ Why string }
		if err = json.Unmarshal([]byte(data), &e); err == nil && e.Why == "pipeline" {
			fmt.Fprintln(p.notes, "the pipeline has ended")
		}
		if err == nil {
			err = errToldAll
		}
	}
	if err != nil && err != errToldAll {
		return &stream.Error{Code: stream.Environment, Why: "a record cannot be shown", Err: err, Fix: "use the wasmill that runs the pipeline, and see that standard output can be written to"}
	}
	return err
}

// summary says how much was shown.
func (p *tapPrinter) summary() {
	text := humanCount(p.shown) + " records shown"
	if p.leftOut > 0 {
		text += fmt.Sprintf(", %s left out by --rate or --limit", humanCount(p.leftOut))
	}
	if p.missed > 0 {
		text += fmt.Sprintf(", %s missed", humanCount(p.missed))
	}
	fmt.Fprintln(p.notes, text)
}

// line is a record in one line that steers no terminal.
func (r *tappedRecord) line() string {
	parts := []string{r.Time.UTC().Format("2006-01-02T15:04:05.000Z")}
	switch {
	case r.DeadLetter:
		parts = append(parts, "#dead-letter")
	case r.Tag != "":
		parts = append(parts, "#"+safe(r.Tag))
	}
	if r.Unrouted {
		parts = append(parts, "(no edge takes it)")
	}
	if key := r.Key + string(r.KeyBase64); key != "" {
		parts = append(parts, "key="+safe(key)+cutMark(len(key), r.KeyBytes))
	}
	for _, h := range r.Headers {
		parts = append(parts, safe(h.Name+string(h.NameBase64))+"="+safe(h.Value+string(h.ValueBase64)))
	}
	if r.HeadersBytes > 0 {
		parts = append(parts, fmt.Sprintf("(headers of %s bytes)", humanCount(uint64(r.HeadersBytes))))
	}
	value := r.Value + string(r.ValueBase64)
	return strings.Join(append(parts, safe(value)+cutMark(len(value), r.ValueBytes)), " ")
}

// cutMark says how much of something is not shown; of = 0 for all of it is.
func cutMark(shown, of int) string {
	if of <= shown {
		return ""
	}
	return fmt.Sprintf("… (%s bytes more)", humanCount(uint64(of-shown)))
}

// harmless escapes in JSON what JSON may have in text and could steer a terminal:
// control codes above ASCII, and what changes the direction of text. It means the same.
func harmless(text string) string {
	var s strings.Builder
	for _, r := range text {
		switch {
		case r == 0x7f || r >= 0x80 && r < 0xa0 || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp):
			fmt.Fprintf(&s, `\u%04x`, r)
		default:
			s.WriteRune(r)
		}
	}
	return s.String()
}
