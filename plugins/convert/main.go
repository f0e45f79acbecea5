// Convert turns amounts into one currency, by rates and rules that come as side inputs. It
// shows how these are read, and what to do when a new one is no good.
package main

import (
	"encoding/json"
	"errors"
	"math"

	wasmill "github.com/wasmill/wasmill/abi/sdk/go"
)

const description = `{
	"name": "convert", "version": "1.0.0", "kind": "map", "tags": ["unknown"], "wants": ["log"]
}`

func init() { wasmill.Map(description, convert) }

func main() {} // not called

// What the side inputs said last.
var (
	rates = newest[map[string]float64]{side: wasmill.Side{Name: "rates"}}
	rules = newest[struct{ Fee float64 }]{side: wasmill.Side{Name: "rules"}}
)

// newest is the last good value of a side input that is JSON.
type newest[T any] struct {
	side  wasmill.Side
	value T
}

// get returns it. A value that is no good is logged, once by each instance, and the one
// before it stays.
func (n *newest[T]) get() T {
	if n.side.Changed() {
		var value T
		if err := json.Unmarshal(n.side.Value, &value); err != nil {
			wasmill.Log(wasmill.Warn, n.side.Name+" are not taken: "+err.Error())
		} else {
			n.value = value
		}
	}
	return n.value
}

func convert(r *wasmill.Record, out *wasmill.Output) error {
	var order map[string]any
	if err := json.Unmarshal(r.Value, &order); err != nil {
		return err
	}
	amount, isNumber := order["amount"].(float64)
	currency, isText := order["currency"].(string)
	if !isNumber || !isText {
		return errors.New("the record has no amount with a currency")
	}
	rate, ok := rates.get()[currency]
	if !ok {
		out.EmitTag(r, "unknown")
		return nil
	}
	order["eur"] = math.Round(100*amount*rate*(1+rules.get().Fee)) / 100
	value, err := json.Marshal(order)
	if err != nil {
		return err
	}
	r.Value = value
	out.Emit(r)
	return nil
}
