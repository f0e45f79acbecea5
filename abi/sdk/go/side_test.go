//go:build !wasm

package wasmill

import "testing"

func TestASideInputIsReadWhenItChanges(t *testing.T) {
	s := Side{Name: "rates"}
	if s.Changed() || s.Value != nil {
		t.Errorf("it changed to %q before it was there", s.Value)
	}
	for _, value := range []string{"one", "a longer one", "two"} {
		SetSide("rates", []byte(value))
		if !s.Changed() || string(s.Value) != value {
			t.Errorf("it is %q, want %q", s.Value, value)
		}
		if s.Changed() {
			t.Error("it changed again")
		}
	}
}
