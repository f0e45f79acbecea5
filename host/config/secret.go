package config

import (
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"

	"github.com/wasmill/wasmill/host/stream"
)

// Secret is a text that nothing prints: every way of formatting it gives the same mask.
type Secret struct{ text string }

const mask = "***"

// Reveal returns the text, for whoever presents it to another system.
func (s Secret) Reveal() string { return s.text }

// Format implements fmt.Formatter, for all verbs.
func (Secret) Format(f fmt.State, _ rune) { io.WriteString(f, mask) }

// String implements fmt.Stringer.
func (Secret) String() string { return mask }

// MarshalText masks the text in JSON and logs.
func (Secret) MarshalText() ([]byte, error) { return []byte(mask), nil }

// SecretRef says where a secret is, by one of Env and File. It holds none itself.
type SecretRef struct {
	Env  string `koanf:"env"`  // variable
	File string `koanf:"file"` // that others may not read; a line feed at its end does not count

	where string // in the config
}

const (
	secretFix = "write {env: NAME} and set that variable, or {file: PATH}"
	maxSecret = 64 << 10 // bytes
	others    = 0o007    // permissions of everybody

	shortestKey = 16 // characters of an access key of Amazon's, which are capitals and digits
)

func (r SecretRef) given() bool { return r.Env != "" || r.File != "" }

// secret fills a SecretRef. What is written in place of one is never repeated, as it
// is most likely the secret itself.
func (b *binder) secret(p path, in any, out reflect.Value) {
	r := out.Addr().Interface().(*SecretRef)
	keys, ok := in.(map[string]any)
	if !ok {
		b.fault(p, stream.ConfigType, "a secret does not stand in the config", secretFix)
		return
	}
	for _, key := range []string{"env", "file"} {
		if _, ok := keys[key].(string); keys[key] != nil && !ok {
			b.fault(p.key(key), stream.ConfigType, "wants a text", secretFix)
			return
		}
	}
	b.fields(p, in, out)
	r.where = b.value(p).where(p)
	b.one(p, "where the secret is", secretFix, way{"env", r.Env != ""}, way{"file", r.File != ""})
	if r.Env != "" && !variableName(r.Env) {
		b.fault(p.key("env"), stream.ConfigValue, "it is not the name of a variable: letters, digits and _, and no digit first", secretFix)
	}
}

// token fills a Token, and repeats nothing of a token in place of its file.
func (b *binder) token(p path, in any, out reflect.Value) {
	if _, ok := in.(map[string]any); !ok {
		b.fault(p, stream.ConfigType, "the token does not stand in the config", "write {file: PATH}, which wasmill run makes if it is not there")
		return
	}
	b.fields(p, in, out)
}

// pem begins what stands in a file of keys or certificates.
const pem = "-----BEGIN "

func variableName(name string) bool {
	for i, c := range []byte(name) {
		if letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'; !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

// Resolve fetches the secret, from env (KEY=value) or the file. Without a reference
// it is empty. The error is a *stream.Error.
func (r SecretRef) Resolve(env []string) (Secret, error) {
	switch {
	case r.Env != "":
		for i := len(env) - 1; i >= 0; i-- {
			if name, value, _ := strings.Cut(env[i], "="); name == r.Env && value != "" {
				return Secret{value}, nil
			}
		}
		return Secret{}, r.fault(stream.ConfigMissing, "the variable "+r.variable("that it names")+" is not set", "set it where wasmill is started, or correct the name; the secret itself does not belong here")
	case r.File != "":
		return r.read()
	}
	return Secret{}, nil
}

// variable is the name of the variable, or other words if it may be the secret itself.
func (r SecretRef) variable(otherwise string) string {
	if r.Env == strings.ToUpper(r.Env) && (strings.Contains(r.Env, "_") || len(r.Env) < shortestKey) {
		return r.Env
	}
	return otherwise
}

func (r SecretRef) fault(code stream.Code, why, fix string) error {
	return &stream.Error{Code: code, Where: r.where, Why: why, Fix: fix}
}

func (r SecretRef) read() (Secret, error) {
	info, err := os.Stat(r.File) // before it is opened: opening a pipe would wait
	if err != nil {
		return Secret{}, r.fault(stream.Environment, "the file cannot be read: "+cause(err), "correct the path, and let the user that runs wasmill read the file")
	}
	if !info.Mode().IsRegular() {
		return Secret{}, r.fault(stream.ConfigValue, r.File+" is no regular file", "name a file that holds the secret and nothing else")
	}
	f, err := os.Open(r.File)
	if err != nil {
		return Secret{}, r.fault(stream.Environment, "the file cannot be read: "+cause(err), "let the user that runs wasmill read it")
	}
	defer f.Close()
	if info, err = f.Stat(); err == nil && info.Mode().Perm()&others != 0 {
		return Secret{}, r.fault(stream.Environment, fmt.Sprintf("every user of this machine may use %s (mode %04o)", r.File, info.Mode().Perm()),
			"chmod o= "+r.File+"; in Kubernetes mount the secret with defaultMode: 0440 and set fsGroup")
	}
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	switch text := strings.TrimRight(string(data), "\r\n"); {
	case err != nil:
		return Secret{}, r.fault(stream.Environment, "the file cannot be read: "+cause(err), "check the disk or the share it is on")
	case text == "" || len(data) > maxSecret || strings.ContainsAny(text, "\r\n\x00"):
		return Secret{}, r.fault(stream.ConfigValue, r.File+" does not hold one line of text", "put the secret into the file and nothing else")
	default:
		return Secret{text}, nil
	}
}

// shown is a --set argument as messages show it: without the value where that may
// be a secret, or an address with a password.
func shown(arg string) string {
	name, value, ok := strings.Cut(arg, "=")
	first, _, _ := strings.Cut(steps.Replace(name), ".")
	near, _ := Nearest(first, []string{"s3", "admin"})
	hidden := near == "s3" || near == "admin" && name != "admin.listen" || sensitive(name, value)
	switch {
	case !hidden:
		return arg
	case ok:
		return name + "=" + mask
	}
	return first + "." + mask
}

// sensitive says whether a value may be a secret, by its name, or as an address with a
// password in it or a key.
func sensitive(name, value string) bool {
	if strings.Contains(value, "@") && strings.Contains(value, "://") || strings.Contains(value, pem) {
		return true
	}
	for _, word := range []string{"secret", "password", "token", "accesskey"} {
		if strings.Contains(strings.ToLower(name), word) {
			return true
		}
	}
	return false
}
