package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCall(t *testing.T) {
	w := newWorkshop(t)
	w.write("lines", "one\r\n\ntwo")
	w.write("empty", "")
	w.write("plugins/identity/main.go", "package main")
	for _, c := range []struct {
		name  string
		args  []string
		stdin string
		exit  int
		out   string
		errs  string // a part
	}{
		{name: "one record", args: []string{"identity", "--input", "a b"}, out: "a b\n"},
		{name: "all that a record has", args: []string{"identity", "--input", "\x1b", "--key", "k", "--header", "h=v=w", "--header", "g=", "--time", "2026-05-04T10:00:00.5Z"}, out: "2026-05-04T10:00:00.5Z key=k h=v=w g= \\x1b\n"},
		{name: "by file, lines of standard input", args: []string{"plugins/identity.wasm"}, stdin: "x\ny\n", out: "1: x\n2: y\n"},
		{name: "lines of a file, standard input and a text", args: []string{"identity", "--input", "@lines", "--input", "-", "--input", "z"}, stdin: "y", out: "1: one\n2: \n3: two\n4: y\n5: z\n"},
		{name: "JSON", args: []string{"identity", "--json", "--input", "<a>", "--header", "h=v", "--key", "\xff"}, out: `{"record":1,"time":"1970-01-01T00:00:00Z","key_base64":"/w==","headers":{"h":"v"},"value":"<a>"}` + "\n"},
		{name: "no record", args: []string{"identity"}, exit: 2, errs: "there is no record: standard input had no line [usage]"},
		{name: "no record in a file", args: []string{"identity", "--input", "@empty", "--input", "-"}, exit: 2, errs: "there is no record: empty and standard input had no line"},
		{name: "an empty record is one", args: []string{"identity", "--input", ""}, out: "\n"},
		{name: "by the folder of its source", args: []string{"plugins/identity", "--input", "x"}, out: "x\n"},
		{name: "a plugin that is not there, before records are waited for", args: []string{"identitty"}, exit: 2, errs: "plugin-not-found"},
		{name: "limits are those of the vertex", args: []string{"identity", "--input", "ab", "--set", "vertices.plugin.udf.limits.recordBytes=1"}, exit: 2, out: "failed: "},
		{name: "a limit that is not there", args: []string{"identity", "--input", "ab", "--set", "vertices.plugin.udf.limits.recordByte=1"}, exit: 2, errs: "did you mean recordBytes?"},
		{name: "a plugin that is not there", args: []string{"identitty", "--input", "x"}, exit: 2, errs: "plugin-not-found"},
		{name: "params that it does not take", args: []string{"identity", "--input", "x", "--params", `{"a":1}`}, exit: 2, errs: "wasmill call"},
		{name: "params that are none", args: []string{"identity", "--input", "x", "--params", `[]`}, exit: 2, errs: "--params is not a JSON object"},
		{name: "a capability that is not there", args: []string{"identity", "--input", "x", "--grant", "htp"}, exit: 2, errs: "wasmill call: there is no capability"},
		{name: "a host without the grant", args: []string{"identity", "--input", "x", "--allow", "a.example.org"}, exit: 2, errs: "wasmill call: http is not granted"},
		{name: "a header that is none", args: []string{"identity", "--input", "x", "--header", "h"}, exit: 2, errs: "is not name=value"},
		{name: "a time that is none", args: []string{"identity", "--input", "x", "--time", "noon"}, exit: 2, errs: "is not a time"},
		{name: "a file that is not there", args: []string{"identity", "--input", "@nowhere"}, exit: 3, errs: "nowhere"},
		{name: "no plugin", exit: 2, errs: "name a plugin"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			exit := run(context.Background(), append([]string{"call"}, c.args...), stdio{strings.NewReader(c.stdin), &out, &errs})
			same := out.String() == c.out
			if c.exit == 2 && c.out != "" {
				same = strings.HasPrefix(out.String(), c.out)
			}
			if exit != c.exit || !same || !strings.Contains(errs.String(), c.errs) {
				t.Errorf("exit %d, out %q, errors %q", exit, out.String(), errs.String())
			}
		})
	}
}

// TestCallShowsStateTimersAndResults calls the plugins of the examples.
func TestCallShowsStateTimersAndResults(t *testing.T) {
	plugins, err := filepath.Abs("../../plugins")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(plugins, "session-timeout.wasm")); err != nil && os.Getenv("REQUIRE_GUESTS") == "" {
		t.Skip("plugins are not built: run make plugins")
	}
	w := newWorkshop(t)
	for _, c := range []struct {
		name string
		args []string
		exit int
		want string
	}{
		{"a plugin with state, one key", []string{"dedupe", "--params", `{"seconds":60}`, "--input", "x", "--input", "x", "--key", "k"}, 0, "1: key=k x\n2: #duplicate key=k x\nstate: {\"key\":\"k\",\"name\":\"first\",\"value\":\"\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\"}\n"},
		{"a timer fires when time ends, after the state is shown", []string{"session-timeout", "--params", `{"minutes":30}`, "--input", `{"cart":"c","event":"add","item":"tea"}`, "--key", "c", "--json"}, 0,
			"{\"state\":{\"key\":\"c\",\"name\":\"item tea\",\"value\":\"\"}}\n" +
				"{\"state\":{\"key\":\"c\",\"name\":\"last\",\"value\":\"\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\"}}\n" +
				"{\"state\":{\"key\":\"c\",\"name\":\"silence\",\"timer\":\"event\",\"at\":\"1970-01-01T00:30:00Z\"}}\n" +
				"{\"time\":\"1970-01-01T00:30:00Z\",\"key\":\"c\",\"value\":\"{\\\"cart\\\":\\\"c\\\",\\\"last\\\":\\\"1970-01-01T00:00:00Z\\\",\\\"items\\\":[\\\"tea\\\"]}\"}\n"},
		{"a record that fails, and the result of the others", []string{"percentiles", "--params", `{"field":"ms"}`, "--input", `{"ms":2}`, "--input", "x", "--input", `{"ms":2}`}, 2, "2: failed: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			exit, out, errs := w.wasmill(append([]string{"call", "--plugins", plugins, "--set", "compile.timeout=2m"}, c.args...)...) // the race detector is slow
			if exit != c.exit || c.exit == 0 && out != c.want || !strings.HasPrefix(out, c.want) {
				t.Errorf("exit %d: %s%s", exit, out, errs)
			}
			if c.exit != 0 && !strings.Contains(out, "\nend: ") {
				t.Errorf("no result: %s", out)
			}
		})
	}
}
