package scale_test

import (
	"reflect"
	"testing"

	"github.com/wasmill/wasmill/host/control/scale"
)

// TestAMetricHasNoNumberWithoutBeingAsked holds that the compiler lets nobody read one
// that is not known: there is no field to read, and no method but Value that gives it.
func TestAMetricHasNoNumberWithoutBeingAsked(t *testing.T) {
	m := reflect.TypeFor[scale.Metric[int]]()
	for i := range m.NumField() {
		if f := m.Field(i); f.IsExported() {
			t.Errorf("field %s can be read", f.Name)
		}
	}
	if m.Kind() != reflect.Struct {
		t.Errorf("it is a %v, which can be converted", m.Kind())
	}
	for i := range reflect.PointerTo(m).NumMethod() {
		if name := reflect.PointerTo(m).Method(i).Name; name != "Value" && name != "String" {
			t.Errorf("method %s", name)
		}
	}
	if v, ok := reflect.PointerTo(m).MethodByName("Value"); !ok || v.Type.NumOut() != 2 || v.Type.Out(1).Kind() != reflect.Bool {
		t.Error("Value does not say whether it is known")
	}
}

func TestOnlyWhatIsKnownHasAValue(t *testing.T) {
	var zero scale.Metric[int]
	for _, m := range []scale.Metric[int]{zero, scale.Unknown[int]()} {
		if v, ok := m.Value(); ok || m.String() != "unknown" {
			t.Errorf("%v, %v: %v", v, ok, m)
		}
	}
	if v, ok := scale.Known(0).Value(); v != 0 || !ok || scale.Known(0).String() != "0" {
		t.Errorf("%v, %v", v, ok)
	}
}
