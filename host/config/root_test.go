package config_test

import (
	"reflect"
	"slices"
	"testing"

	"github.com/wasmill/wasmill/host/config"
)

// TestEverySettingThatIsATextIsAPathOrNot has a new one decided on, as a path that is not among
// Paths begins in another folder than the others.
func TestEverySettingThatIsATextIsAPathOrNot(t *testing.T) {
	p := &config.Process{Plugins: config.Plugins{Trust: make([]config.TrustKey, 1)}}
	paths := map[*string]string{}
	for _, s := range p.Paths() {
		paths[s.Path] = s.Setting
	}
	var texts []string // that are no paths
	var walk func(v reflect.Value, at string)
	walk = func(v reflect.Value, at string) {
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				if f := v.Type().Field(i); f.IsExported() {
					walk(v.Field(i), at+"."+f.Tag.Get("koanf"))
				}
			}
		case reflect.Slice:
			for i := range v.Len() {
				walk(v.Index(i), at+"[0]")
			}
		case reflect.String:
			text, ok := v.Addr().Interface().(*string)
			switch setting, is := paths[text]; {
			case !ok: // one of some words
			case !is:
				texts = append(texts, at[1:])
			case setting != at[1:]:
				t.Errorf("the path of %s is called %s", at[1:], setting)
			}
			delete(paths, text)
		}
	}
	walk(reflect.ValueOf(p).Elem(), "")
	if len(paths) > 0 {
		t.Errorf("these are no settings: %v", paths)
	}
	if want := []string{"s3.endpoint", "s3.region", "s3.accessKey.env", "s3.secretKey.env", "s3.sessionToken.env", "s3.encryption.kmsKey"}; !slices.Equal(texts, want) {
		t.Errorf("these are no paths: %q, want %q", texts, want)
	}
}
