package config_test

import (
	"strings"
	"testing"

	"github.com/wasmill/wasmill/host/config"
)

// origins are the origins of values by their paths, and their own texts.
func origins(values []config.Value) (from, own map[string]string) {
	from, own = make(map[string]string), make(map[string]string)
	for _, v := range values {
		from[v.Path], own[v.Path] = v.Origin(), v.Own
	}
	return from, own
}

func TestSettingsOfTheProcessSayWhereTheyComeFrom(t *testing.T) {
	p := process(t, config.Layers{
		Files: files("log:\n  level: debug\n  format: json\nplugins: {dir: a, keep: ~}\nshutdown: {grace: 1s}", "plugins: {dir: b}\nshutdown:\n"),
		Env:   []string{"WASMILL_MEMORY_BUDGET=1GiB", "WASMILL_S3_ACCESSKEY_ENV=MY_KEY", "WASMILL_S3_SECRETKEY_ENV=MY_SECRET", "WASMILL_DATA_DIR="},
		Set:   []string{"log={level: warn}", "revisions.keep=3"},
	})
	from, own := origins(p.Values())
	for _, want := range []struct{ name, path, text, origin string }{
		{"a default", "pipelines.dir", "pipelines", "default"},
		{"the later of two files", "plugins.dir", "b", "1.yaml:1:16"},
		{"null, which is nothing", "plugins.keep", "2", "default"},
		{"a map that a later file takes away", "shutdown.grace", "25s", "default"},
		{"an environment variable", "memory.budget", "1GiB", "environment WASMILL_MEMORY_BUDGET"},
		{"an empty variable", "data.dir", "data", "default"},
		{"a flag", "revisions.keep", "3", "--set revisions.keep=3"},
		{"inside of what a flag sets", "log.level", "warn", "--set log={level: warn}"},
		{"what a flag takes away", "log.format", "auto", "default"},
		{"a reference to a secret", "s3.accessKey", "{env: MY_KEY}", "environment WASMILL_S3_ACCESSKEY_ENV"},
		{"nothing", "s3.region", "", "default"},
	} {
		t.Run(want.name, func(t *testing.T) {
			if from[want.path] != want.origin || own[want.path] != want.text {
				t.Errorf("%s is %q from %q, want %q from %q", want.path, own[want.path], from[want.path], want.text, want.origin)
			}
		})
	}
}

func TestValuesOfAPipelineSayWhereTheyComeFrom(t *testing.T) {
	from, own := origins(pipeline(t, small, "vertices.parse.concurrency=3").Values())
	for path, want := range map[string][2]string{
		"vertices[in]":                        {"source generate", "0.yaml:3:5"},
		"vertices[in].source":                 {"generate", "0.yaml:3:24"},
		"vertices[parse].udf.params.format":   {"common", "0.yaml:4:66"},
		"vertices[parse].concurrency":         {"3", "--set vertices.parse.concurrency=3"},
		"vertices[parse].batch.maxRecords":    {"1024", "default"},
		"vertices[parse].udf.limits.logLines": {"100", "default"},
		"edges[in->parse]":                    {"untagged records", "0.yaml:7:5"},
		"vertices[in].batch.maxRecords":       {"", "default"}, // a source makes no calls
		"vertices[in].onError":                {"fail", "default"},
		"phase":                               {"running", "default"},
	} {
		if got := [2]string{strings.Trim(own[path], `"`), from[path]}; got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
}

// TestEverySettingOfTheProcessIsAValue holds that one which is added is shown, too.
func TestEverySettingOfTheProcessIsAValue(t *testing.T) {
	p := process(t, config.Layers{Files: files(`
plugins: {dir: p, lock: l, trust: ["YY+22Bvt7UUoGk5AhApYNPPrmOZNvVvN/5ieb16LMQc=", {file: k.pub}], canary: "off", keep: 1}
s3: {endpoint: h, accessKey: {env: A_KEY}, secretKey: {file: /run/s3}, sessionToken: {env: PLANTED00000000000000000000000001}}
admin: {listen: 127.0.0.1:1, token: {file: t}, tls: {cert: c, key: k}}
`)})
	_, own := origins(p.Values())
	for _, path := range config.ProcessPaths() {
		if _, ok := own[path]; !ok {
			t.Errorf("%s is no value", path)
		}
	}
	for path, want := range map[string]string{
		"plugins.trust":    "[YY+22Bvt7UUoGk5AhApYNPPrmOZNvVvN/5ieb16LMQc=, {file: k.pub}]",
		"s3.accessKey":     "{env: A_KEY}",
		"s3.secretKey":     "{file: /run/s3}",
		"s3.sessionToken":  "{env: ***}", // it may be the secret itself
		"admin.token.file": "t",
		"admin.tls.key":    "k",
	} {
		if own[path] != want {
			t.Errorf("%s is %q, want %q", path, own[path], want)
		}
	}
}
