package config

import (
	"cmp"
	"encoding"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wasmill/wasmill/host/stream"
)

// Choice is a text with few values, as a field of settings.
type Choice interface {
	// Choices lists the values, in the order in which people should read them.
	Choices() []string
}

// binder fills structs from a merged tree and reports what does not fit. What
// the tree lacks stays as it was, so defaults are filled in before.
type binder struct {
	*merged
	hooks map[reflect.Type]hook
}

// hook fills values of one type in its own way.
type hook func(p path, in any, out reflect.Value)

func (b *binder) fault(p path, code stream.Code, why, fix string) {
	b.add(b.value(p), p, code, why, fix)
}

// missing reports that a map at p lacks a key, unless its value is there and bad.
func (b *binder) missing(p path, key, fix string) {
	if !b.about(p.key(key)) {
		b.fault(p, stream.ConfigMissing, fmt.Sprintf("%q is missing", key), fix)
	}
}

// bind fills out from in, which stands at p.
func (b *binder) bind(p path, in any, out reflect.Value) {
	if in == nil {
		return
	}
	if out.Kind() == reflect.Pointer {
		if out.IsNil() {
			out.Set(reflect.New(out.Type().Elem()))
		}
		out = out.Elem()
	}
	if h, ok := b.hooks[out.Type()]; ok {
		h(p, in, out)
		return
	}
	switch target := out.Addr().Interface().(type) {
	case encoding.TextUnmarshaler:
		b.text(p, in, target)
		return
	case *time.Duration:
		b.duration(p, in, target)
		return
	}
	switch out.Kind() {
	case reflect.Interface:
		out.Set(reflect.ValueOf(in))
	case reflect.Struct:
		b.fields(p, in, out)
	case reflect.Map:
		b.entries(p, in, out)
	case reflect.Slice:
		b.elements(p, in, out)
	default:
		b.scalar(p, in, out)
	}
}

// fields fills a struct by its koanf tags.
func (b *binder) fields(p path, in any, out reflect.Value) {
	m, ok := in.(map[string]any)
	if !ok {
		b.mismatch(p, in, "a map of key: value pairs", "its keys are "+strings.Join(keysOf(out.Type()), ", "))
		return
	}
	known := keysOf(out.Type())
	byKey := make(map[string]int, len(known))
	for i := range out.NumField() {
		byKey[out.Type().Field(i).Tag.Get("koanf")] = i
	}
	taken := make(map[string]bool)
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if i, ok := byKey[k]; ok && k != "" {
			b.bind(p.key(k), m[k], out.Field(i))
			continue
		}
		b.add(b.key(p.key(k)), p.key(k), stream.ConfigUnknownKey, fmt.Sprintf("%q is not a key here", shorten(k)), cmp.Or(elsewhere(p, k, out.Type()), Suggest(k, known)))
		meant, ok := Nearest(k, known)
		if _, given := m[meant]; ok && !given && !taken[meant] {
			taken[meant] = true
			b.values[p.key(meant)] = b.value(p.key(k))
			b.bind(p.key(meant), m[k], out.Field(byKey[meant]))
		}
	}
}

// elsewhere is what to do about a key at the top of a file that belongs to the other
// kind of file; empty = it does not.
func elsewhere(p path, key string, t reflect.Type) string {
	switch {
	case p != "":
	case t == reflect.TypeFor[Process]() && slices.Contains(keysOf(reflect.TypeFor[Pipeline]()), key):
		return "this file has the settings of the process; " + key + " belongs to a pipeline file, which is named after run"
	case t == reflect.TypeFor[Pipeline]() && slices.Contains(keysOf(reflect.TypeFor[Process]()), key):
		return key + " is a setting of the process: write it into wasmill.yaml, or the file of --config"
	}
	return ""
}

// keysOf lists the keys of a struct of settings in the order of its fields.
func keysOf(t reflect.Type) []string {
	var keys []string
	for i := range t.NumField() {
		if k := t.Field(i).Tag.Get("koanf"); k != "" {
			keys = append(keys, k)
		}
	}
	return keys
}

func (b *binder) entries(p path, in any, out reflect.Value) {
	m, ok := in.(map[string]any)
	if !ok {
		b.mismatch(p, in, "a map of key: value pairs", "indent key: value lines below it")
		return
	}
	filled := reflect.MakeMapWithSize(out.Type(), len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		el := reflect.New(out.Type().Elem()).Elem()
		b.bind(p.key(k), m[k], el)
		filled.SetMapIndex(reflect.ValueOf(k).Convert(out.Type().Key()), el)
	}
	out.Set(filled)
}

func (b *binder) elements(p path, in any, out reflect.Value) {
	l, ok := in.([]any)
	if !ok {
		b.mismatch(p, in, "a list", "write [a, b], or one line starting with - per element")
		return
	}
	filled := reflect.MakeSlice(out.Type(), len(l), len(l))
	for i, el := range l {
		if el == nil {
			b.fault(p.index(i), stream.ConfigType, "the element is empty", "fill it in or remove it")
		}
		b.bind(p.index(i), el, filled.Index(i))
	}
	out.Set(filled)
}

func (b *binder) text(p path, in any, out encoding.TextUnmarshaler) {
	switch in.(type) {
	case map[string]any, []any, bool:
		b.mismatch(p, in, "a single value", "write one value")
		return
	}
	err := out.UnmarshalText(fmt.Append(nil, in))
	if e, ok := errors.AsType[*stream.Error](err); ok {
		b.fault(p, stream.ConfigValue, e.Why, e.Fix)
	} else if err != nil {
		b.fault(p, stream.ConfigValue, err.Error(), "")
	}
}

func (b *binder) duration(p path, in any, out *time.Duration) {
	const fix = "write a number with a unit, such as 200ms, 10s or 5m"
	s, ok := in.(string)
	if !ok {
		b.mismatch(p, in, "a duration", fix)
		return
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		b.fault(p, stream.ConfigValue, fmt.Sprintf("%q is not a duration", shorten(s)), fix)
		return
	}
	*out = d
}

// scalar fills a text, a number or a truth value. The quotes of flags and
// variables are the shell's, so there 8080 is a text where a text is wanted.
func (b *binder) scalar(p path, in any, out reflect.Value) {
	if at := b.value(p); at.loose {
		in = loosen(in, at.text, out.Kind())
	}
	switch out.Kind() {
	case reflect.String:
		s, ok := in.(string)
		if !ok {
			fix := "write one text"
			if s = b.value(p).text; s != "" {
				fix = fmt.Sprintf("quote it: %q", s)
			}
			b.mismatch(p, in, "a text", fix)
			out.SetString(s) // others may refer to it
			return
		}
		if c, ok := out.Interface().(Choice); ok && !slices.Contains(c.Choices(), s) {
			b.fault(p, stream.ConfigValue, fmt.Sprintf("%q is not one of its values", shorten(s)), Suggest(s, c.Choices()))
			return
		}
		out.SetString(s)
	case reflect.Bool:
		v, ok := in.(bool)
		if !ok {
			b.mismatch(p, in, "true or false", "write true or false, without quotes")
			return
		}
		out.SetBool(v)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if v := reflect.ValueOf(in); v.CanInt() && !out.OverflowInt(v.Int()) {
			out.SetInt(v.Int())
			return
		}
		b.misfit(p, in, out.Type())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v := reflect.ValueOf(in)
		if v.CanInt() && v.Int() >= 0 {
			v = v.Convert(reflect.TypeFor[uint64]())
		}
		if v.CanUint() && !out.OverflowUint(v.Uint()) {
			out.SetUint(v.Uint())
			return
		}
		b.misfit(p, in, out.Type())
	case reflect.Float32, reflect.Float64:
		v := reflect.ValueOf(in)
		if !v.CanFloat() && !v.CanInt() && !v.CanUint() {
			b.mismatch(p, in, "a number", "write digits, without quotes")
			return
		}
		out.SetFloat(v.Convert(reflect.TypeFor[float64]()).Float())
	default:
		panic("BUG: config: settings have a field of type " + out.Type().String())
	}
}

// loosen reads a scalar anew for the type that is wanted.
func loosen(in any, text string, kind reflect.Kind) any {
	switch s, isText := in.(string); {
	case kind == reflect.String:
		switch in.(type) {
		case bool, int, int64, uint64, float64:
			return text
		}
	case isText && kind == reflect.Bool:
		if v, err := strconv.ParseBool(s); err == nil {
			return v
		}
	case isText:
		if v, err := strconv.ParseInt(s, 10, 64); err == nil {
			return v
		}
		if v, err := strconv.ParseFloat(s, 64); err == nil {
			return v
		}
	}
	return in
}

func (b *binder) mismatch(p path, in any, want, fix string) {
	got := describe(in)
	if at := b.value(p); strings.HasPrefix(got, number) && at.text != "" {
		got = number + shorten(at.text)
	}
	b.fault(p, stream.ConfigType, fmt.Sprintf("wants %s, not %s", want, got), fix)
}

// misfit reports what is no integer of a type.
func (b *binder) misfit(p path, in any, t reflect.Type) {
	lo, hi := fmt.Sprint(int64(math.MinInt64)>>(64-t.Bits())), fmt.Sprint(uint64(math.MaxInt64)>>(64-t.Bits()))
	sign := ""
	if t.Kind() >= reflect.Uint {
		lo, hi, sign = "0", fmt.Sprint(uint64(math.MaxUint64)>>(64-t.Bits())), ", not negative"
	}
	switch in.(type) {
	case int, int64, uint64:
		b.fault(p, stream.ConfigValue, fmt.Sprintf("%v is out of range", in), "write "+lo+" to "+hi)
	default:
		b.mismatch(p, in, "a whole number", "write digits only, without quotes"+sign)
	}
}

// number starts the description of one.
const number = "the number "

// within reports a value outside of lo to hi.
func within[T ~int | ~int64](b *binder, p path, v, lo, hi T) {
	if v < lo || v > hi {
		b.fault(p, stream.ConfigValue, brief(v)+" is out of range", "write "+brief(lo)+" to "+brief(hi))
	}
}

// brief writes a value as people do: 24h and not 24h0m0s.
func brief(v any) string {
	s := fmt.Sprint(v)
	if _, ok := v.(time.Duration); ok {
		if strings.HasSuffix(s, "m0s") {
			s = strings.TrimSuffix(s, "0s")
		}
		if strings.HasSuffix(s, "h0m") {
			s = strings.TrimSuffix(s, "0m")
		}
	}
	return s
}

// describe names a value of the tree in a message.
func describe(in any) string {
	switch in := in.(type) {
	case nil:
		return "nothing"
	case string:
		if strings.Contains(in, pem) {
			return "what looks like a key"
		}
		return fmt.Sprintf("the text %q", shorten(in))
	case map[string]any:
		return "a map"
	case []any:
		return "a list"
	case bool:
		return strconv.FormatBool(in)
	}
	return fmt.Sprint(number, in)
}
