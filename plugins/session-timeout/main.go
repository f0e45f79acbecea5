// Session-timeout tells which carts were abandoned: those in which nothing happened for a
// time. It shows state, a list in it, and timers.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"time"

	wasmill "github.com/wasmill/wasmill/abi/sdk/go"
)

const description = `{
	"name": "session-timeout", "version": "1.0.0", "kind": "process", "tags": ["done"],
	"params": {"type": "object", "additionalProperties": false, "properties": {
		"minutes": {"type": "integer", "minimum": 1, "default": 30, "description": "of event time without an event, after which a cart is abandoned"}}}
}`

func init() {
	wasmill.Process(description, event)
	wasmill.Timers(timeout)
	wasmill.Params(configure)
}

func main() {} // not called

var silence = 30 * time.Minute

func configure(text []byte) error {
	params := struct{ Minutes int }{30}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&params); err != nil {
		return err
	}
	if params.Minutes < 1 {
		return errors.New("minutes is not above 0")
	}
	silence = time.Duration(params.Minutes) * time.Minute
	return nil
}

// What is kept of a cart: when it was touched last, and a name for each thing in it.
var last = wasmill.Int("last")

const item = "item "

func event(r *wasmill.Record, s *wasmill.State, out *wasmill.Output) error {
	var e struct{ Event, Item string }
	if err := json.Unmarshal(r.Value, &e); err != nil {
		return err
	}
	// Event time may have come far in one call, and the timer not have fired yet.
	if at, ok := last.Get(s); ok && r.Time-at >= int64(silence) {
		abandon(r.Key, at, s, out)
	}
	switch e.Event {
	case "add":
		s.Put(item+e.Item, nil, 0)
	case "remove":
		s.Delete(item + e.Item)
	case "checkout":
		forget(s)
		out.EmitTag(r, "done")
		return nil
	default:
		return errors.New("event is none of add, remove and checkout")
	}
	at, _ := last.Get(s)
	at = max(at, r.Time)
	last.Put(s, at)
	s.SetTimer(wasmill.EventTime, "silence", at+int64(silence))
	return nil
}

func timeout(t *wasmill.Timer, s *wasmill.State, out *wasmill.Output) error {
	if at, ok := last.Get(s); ok {
		abandon(t.Key, at, s, out)
	}
	return nil
}

// abandon emits what was left in a cart, if anything was, and forgets it.
func abandon(cart []byte, at int64, s *wasmill.State, out *wasmill.Output) {
	report := struct {
		Cart  string    `json:"cart"`
		Last  time.Time `json:"last"`
		Items []string  `json:"items"`
	}{string(cart), time.Unix(0, at).UTC(), []string{}}
	list := s.List(item)
	for name, _, rest, ok := list.Next(); ok; name, _, rest, ok = rest.Next() {
		report.Items = append(report.Items, strings.TrimPrefix(string(name), item))
	}
	forget(s)
	if len(report.Items) == 0 {
		return
	}
	text, _ := json.Marshal(report)
	out.Emit(&wasmill.Record{Time: at + int64(silence), Key: cart, Value: text})
}

func forget(s *wasmill.State) {
	var names []string
	list := s.List(item)
	for name, _, rest, ok := list.Next(); ok; name, _, rest, ok = rest.Next() {
		names = append(names, string(name))
	}
	for _, name := range names {
		s.Delete(name)
	}
	last.Delete(s)
	s.DeleteTimer(wasmill.EventTime, "silence")
}
