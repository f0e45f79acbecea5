package admin

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// TestEachEventIsToldAndPassedOn calls all callbacks that there are.
func TestEachEventIsToldAndPassedOn(t *testing.T) {
	var events Events
	l, err := events.listen("p")
	if err != nil {
		t.Fatal(err)
	}
	var next stream.Events
	var called []any
	to := reflect.ValueOf(&next).Elem()
	for i := range to.NumField() {
		to.Field(i).Set(reflect.MakeFunc(to.Field(i).Type(), func(args []reflect.Value) []reflect.Value {
			called = nil
			for _, a := range args {
				called = append(called, a.Interface())
			}
			return nil
		}))
	}
	all, bare := reflect.ValueOf(events.Observe("p", next)), reflect.ValueOf(events.Observe("p", stream.Events{}))
	seen := map[string]bool{}
	for i := range all.NumField() {
		name := all.Type().Field(i).Name
		if all.Field(i).IsNil() {
			t.Errorf("%s is not observed", name)
			continue
		}
		args := arguments(all.Field(i).Type())
		called = nil
		all.Field(i).Call(args)
		if len(called) != len(args) {
			t.Fatalf("%s is not passed on", name)
		}
		for j, a := range args {
			if !reflect.DeepEqual(called[j], a.Interface()) {
				t.Errorf("%s passes on %v as %v", name, a, called[j])
			}
		}
		bare.Field(i).Call(args)
		waiting, _, _ := events.take(l)
		if len(waiting) != 2 {
			t.Fatalf("%s tells %q", name, waiting)
		}
		event, data, _ := strings.Cut(strings.TrimPrefix(string(waiting[0]), "event: "), "\ndata: ")
		var fields map[string]any
		if err := json.Unmarshal([]byte(data), &fields); err != nil || fields["event"] != event || fields["pipeline"] != "p" || strings.ReplaceAll(event, "-", "") != strings.ToLower(name) || seen[event] {
			t.Errorf("%s tells %q, %v", name, waiting[0], err)
		}
		seen[event] = true
		if len(fields) < 3+len(args) {
			t.Errorf("%s leaves something out: %s", name, data)
		}
		for _, text := range []string{"broken", "text!"} { // of an error, and of every text
			takes := strings.Contains(all.Field(i).Type().String(), map[string]string{"broken": "error", "text!": "string"}[text])
			if takes && !strings.Contains(data, text) {
				t.Errorf("%s does not say %s: %s", name, text, data)
			}
		}
	}
}

// arguments are values for a function, none of them zero.
func arguments(f reflect.Type) (args []reflect.Value) {
	for i := range f.NumIn() {
		v := reflect.New(f.In(i)).Elem()
		switch v.Kind() {
		case reflect.String:
			v.SetString("text!")
		case reflect.Int, reflect.Int32, reflect.Int64:
			v.SetInt(1)
		case reflect.Uint64:
			v.SetUint(7)
		case reflect.Interface:
			v.Set(reflect.ValueOf(errors.New("broken")))
		}
		args = append(args, v)
	}
	return args
}

func TestTellingCostsNothingWhileNobodyListens(t *testing.T) {
	var events Events
	o := events.Observe("p", stream.Events{})
	if n := testing.AllocsPerRun(100, func() { o.Restoring(1, 2) }); n > 2 {
		t.Errorf("%v allocations", n)
	}
	began := time.Now()
	o.SourceNotice("v", "text")
	if len(events.listeners) != 0 || time.Since(began) < 0 {
		t.Error("somebody listens")
	}
}
