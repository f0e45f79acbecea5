package config_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/stream"
)

// planted is what no message may show.
const planted = "hunter2"

func ref(t *testing.T, text string) config.SecretRef {
	t.Helper()
	return process(t, config.Layers{Files: files("s3: {accessKey: {env: A}, secretKey: " + text + "}\n")}).S3.SecretKey
}

func TestASecretIsFetchedWhenItIsNeeded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	env := []string{"KEY=old", "KEY=" + planted, "OTHER=", "_k1=a=b"}
	for text, want := range map[string]string{"{env: KEY}": planted, "{env: _k1}": "a=b", "{file: " + path + "}": planted} {
		if err := os.WriteFile(path, []byte(planted+"\r\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := ref(t, text).Resolve(env)
		if err != nil || got.Reveal() != want {
			t.Errorf("%s is %q, %v", text, got.Reveal(), err)
		}
	}
	if got, err := (config.SecretRef{}).Resolve(env); err != nil || got.Reveal() != "" {
		t.Errorf("none is %q, %v", got.Reveal(), err)
	}
	t.Run("from variables and flags", func(t *testing.T) {
		p := process(t, config.Layers{Env: []string{"WASMILL_S3_ACCESSKEY_ENV=A", "WASMILL_S3_SECRETKEY_FILE=b"}, Set: []string{"s3.sessionToken.env=C"}})
		equal(t, "accessKey", p.S3.AccessKey.Env, "A")
		equal(t, "secretKey", p.S3.SecretKey.File, "b")
		equal(t, "sessionToken", p.S3.SessionToken.Env, "C")
	})
}

func TestASecretThatCannotBeFetchedIsNotGuessed(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		return "{file: " + path + "}"
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, ref, why, fix string
		code                stream.Code
	}{
		{"a variable that is not set", "{env: NONE}", "the variable NONE is not set", "set it", stream.ConfigMissing},
		{"what could be the secret", "{env: " + planted + "}", "the variable that it names is not set", "does not belong here", stream.ConfigMissing},
		{"what could be an access key", "{env: AKIAIOSFODNN7EXAMPLE}", "the variable that it names is not set", "does not belong here", stream.ConfigMissing},
		{"a variable with a long name", "{env: THE_SECRET_KEY_OF_MINIO}", "the variable THE_SECRET_KEY_OF_MINIO is not set", "set it", stream.ConfigMissing},
		{"a variable that is empty", "{env: EMPTY}", "not set", "set it", stream.ConfigMissing},
		{"no file", "{file: " + dir + "/none}", "no such file", "correct the path", stream.Environment},
		{"a folder", "{file: " + dir + "}", "no regular file", "name a file", stream.ConfigValue},
		{"a pipe", "{file: " + dir + "/pipe}", "no regular file", "name a file", stream.ConfigValue},
		{"an empty file", write("empty", "\n", 0o600), "one line", "nothing else", stream.ConfigValue},
		{"two lines", write("two", planted+"\n"+planted, 0o600), "one line", "nothing else", stream.ConfigValue},
		{"a large file", write("large", strings.Repeat(planted, 10_000), 0o600), "one line", "nothing else", stream.ConfigValue},
		{"a file that all may read", write("all", planted, 0o604), "every user of this machine may use", "chmod o=", stream.Environment},
		{"a file that all may write", write("written", planted, 0o602), "every user of this machine may use", "chmod o=", stream.Environment},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := ref(t, test.ref).Resolve([]string{"EMPTY="})
			e, ok := errors.AsType[*stream.Error](err)
			if !ok || e.Code != test.code || e.Where != "0.yaml:1:38 (s3.secretKey)" || !strings.Contains(e.Why, test.why) || !strings.Contains(e.Fix, test.fix) || strings.Contains(err.Error(), planted) || got.Reveal() != "" {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestASecretIsNeverPrinted(t *testing.T) {
	s, err := ref(t, "{env: KEY}").Resolve([]string{"KEY=" + planted})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%10.3s"} {
		fmt.Fprintf(&out, verb, s)
		fmt.Fprintf(&out, verb, &s)
		fmt.Fprintf(&out, verb, struct{ S config.Secret }{s})
		fmt.Fprintf(&out, verb, map[config.Secret][]config.Secret{s: {s}})
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "secret", s, "all", struct{ S config.Secret }{s})
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "secret", s, "all", struct{ S config.Secret }{s})
	if err := json.NewEncoder(&out).Encode(map[config.Secret]any{s: []any{s, &s}}); err != nil {
		t.Fatal(err)
	}
	decimal := strings.Trim(fmt.Sprint([]byte(planted[:4])), "[]") // a number alone may be of the time
	for _, form := range []string{planted, fmt.Sprintf("%x", planted), fmt.Sprintf("%X", planted), decimal} {
		if strings.Contains(out.String(), form) {
			t.Errorf("%s is in %s", form, &out)
		}
	}
	if !strings.Contains(out.String(), "***") {
		t.Errorf("got %s", &out)
	}
}

// TestNoMessageShowsASecret relies on the golden files of TestBadConfigs, whose
// configs have one where it does not belong.
func TestNoMessageShowsASecret(t *testing.T) {
	paths, err := filepath.Glob("testdata/bad/*")
	if err != nil {
		t.Fatal(err)
	}
	in := 0
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		n := strings.Count(string(data), planted)
		if filepath.Ext(path) == ".yaml" {
			in += n
		} else if n > 0 {
			t.Errorf("%s shows a secret", path)
		}
	}
	if in < 8 {
		t.Errorf("only %d secrets were planted", in)
	}
}
