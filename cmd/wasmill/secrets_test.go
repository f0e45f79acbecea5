package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wasmill/wasmill/checkpoint/storetest/s3server"
)

// secrets are texts that may be nowhere but where they were planted.
type secrets map[string]string // by what they are

// in says which of the secrets a text has, in which form.
func (s secrets) in(text []byte) (found []string) {
	for what, secret := range s {
		for form, written := range map[string]string{
			"as it is": secret, "in base64": strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(secret)), "=")[:len(secret)], "in hex": hex.EncodeToString([]byte(secret)),
		} {
			if bytes.Contains(text, []byte(written)) {
				found = append(found, what+" "+form)
			}
		}
	}
	return found
}

// vault is a workshop with secrets wherever one can be.
type vault struct {
	*workshop
	secrets secrets
	planted map[string]bool // files that have secrets
	server  *s3server.Server
}

func newVault(t *testing.T) *vault {
	v := &vault{workshop: newWorkshop(t), secrets: secrets{}, planted: map[string]bool{}, server: s3server.Start()}
	t.Cleanup(v.server.Close)
	v.server.AccessKey, v.server.SecretKey = v.secret("the access key"), v.secret("the secret key")
	t.Setenv("S3_ACCESS_KEY", v.server.AccessKey)
	t.Setenv("S3_SESSION", v.secret("the session token"))
	t.Setenv("DATABASE_PASSWORD", v.secret("what is none of wasmill's business"))
	t.Setenv("AWS_SECRET_ACCESS_KEY", v.secret("the key of Amazon's tools"))
	v.plant("s3.secret", v.server.SecretKey+"\n")
	v.plant("data/admin.token", v.secret("the admin token")+"\n")
	key := v.certificate("cert.pem", "key.pem")
	v.planted["key.pem"] = true
	for i, line := range strings.Split(key, "\n")[1:3] {
		v.secrets[fmt.Sprintf("line %d of the TLS key", i+1)] = line
	}
	v.write("wasmill.yaml", fmt.Sprintf(`log: {level: debug}
s3: {endpoint: %q, region: us-east-1, accessKey: {env: S3_ACCESS_KEY}, secretKey: {file: s3.secret}, sessionToken: {env: S3_SESSION}}
admin: {listen: 127.0.0.1:0, tls: {cert: cert.pem, key: key.pem}}
`, v.server.Endpoint()))
	v.write("p.yaml", strings.Replace(served, "file://./ckpt", "s3://"+v.server.Bucket+"/prefix", 1))
	v.write("short.yaml", strings.NewReplacer("name: p", "name: short", "rate: 1000", "count: 100").Replace(served))
	return v
}

// secret makes one up.
func (v *vault) secret(what string) string {
	text := fmt.Sprintf("PLANTED%026d", len(v.secrets))
	v.secrets[what] = text
	return text
}

func (v *vault) plant(file, content string) {
	v.write(file, content)
	v.planted[file] = true
}

// command is the binary with a command line, and what it will have said.
func (v *vault) command(ctx context.Context, args ...string) (*exec.Cmd, *bytes.Buffer) {
	exe, err := os.Executable()
	if err != nil {
		v.Fatal(err)
	}
	c := exec.CommandContext(ctx, exe, args...)
	c.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0") // else each end takes a second under the race detector
	said := &bytes.Buffer{}
	c.Stdout, c.Stderr = said, said
	return c, said
}

// runs runs a command line to its end, which is as it has to be.
func (v *vault) runs(exit int, says string, args ...string) {
	v.Helper()
	c, said := v.command(v.Context(), args...)
	_ = c.Run()
	v.hears(strings.Join(args[:1], " "), said.Bytes())
	if c.ProcessState.ExitCode() != exit || !strings.Contains(said.String(), says) {
		v.Errorf("%v: exit %d: %s", args, c.ProcessState.ExitCode(), said)
	}
}

// refuses is runs within this process, which is faster, for what has an error.
func (v *vault) refuses(says string, args ...string) {
	v.Helper()
	exit, out, said := v.wasmill(args...)
	v.hears(args[0], []byte(out+said))
	if exit != 2 || !strings.Contains(out+said, says) {
		v.Errorf("%v: exit %d: %s%s", args, exit, out, said)
	}
}

// hears looks for secrets in what was said.
func (v *vault) hears(who string, text []byte) {
	v.Helper()
	if found := v.secrets.in(text); found != nil {
		v.Errorf("%s tells of %q: %s", who, found, text)
	}
}

// TestSecretsAreNowhere is scenario X3: whatever is done with a process, and whatever
// goes wrong, no output, file and checkpoint has a secret but those where it was put.
func TestSecretsAreNowhere(t *testing.T) {
	v := newVault(t)
	if found := v.secrets.in([]byte("key=" + v.server.SecretKey)); len(found) != 1 {
		t.Fatalf("the search finds %q", found)
	}
	v.commands()
	v.wrongPlaces()
	v.whileItRuns()
	v.runs(0, "EPOCH", "checkpoint", "list", "p.yaml")
	v.runs(0, "epoch", "checkpoint", "show", "p.yaml")
	v.runs(0, "whole", "checkpoint", "verify", "p.yaml")
	v.failingStore()
	v.files()
}

// commands does what needs no process that runs.
func (v *vault) commands() {
	v.runs(0, "ok", "validate", "p.yaml", "--json")
	v.write("p2.yaml", strings.Replace(v.read("p.yaml"), "rate: 1000", "rate: 2000", 1))
	v.runs(0, "vertices[in]", "plan", "p.yaml", "p2.yaml")
	for _, form := range [][]string{{}, {"--json"}, {"--changed"}} { // the references are there, and nothing else
		v.runs(0, "{env: S3_ACCESS_KEY}", append([]string{"config", "p.yaml"}, form...)...)
	}
	for _, form := range [][]string{{}, {"--json"}} {
		v.runs(0, "tells writers apart", append([]string{"doctor", "p.yaml"}, form...)...)
	}
	v.runs(0, "svg", "graph", "p.yaml", "--format", "svg")
	v.runs(0, "short", "run", "short.yaml", "--set", "log.format=text")
	v.write("short.yaml", strings.Replace(v.read("short.yaml"), "order: input", "ordr: input", 1))
	v.runs(2, "did you mean order?", "run", "short.yaml")
	v.runs(2, "did you mean order?", "run", "short.yaml", "--json")
}

// wrongPlaces writes secrets where references to them belong.
func (v *vault) wrongPlaces() {
	wrong := v.secret("what stands in the wrong place")
	for i, text := range []string{
		"s3: {accessKey: {env: W}, secretKey: {env: W}}", "s3: {secretKey: W}", "s3: {secretKey: {value: W}}", "s3: {secretKey: [W]}", "s3: {endpoint: 'https://user:W@host'}",
		"admin: {token: W}", "admin: {token: [W]}", "admin: {tls: {cert: cert.pem, key: \"-----BEGIN PRIVATE KEY-----\\nW\"}}", "admin: {tls: '-----BEGIN W'}", "s3: {secretKey: W", "admin: {token: 'W}",
	} {
		file := fmt.Sprintf("wrong%d.yaml", i)
		v.plant(file, strings.ReplaceAll(text, "W", wrong))
		if i == 0 { // its references are right as such
			v.runs(0, "{env: ***}", "config", "--config", file)
		} else {
			v.refuses("fix: ", "validate", "p.yaml", "--config", file)
			v.refuses("fix: ", "config", "--config", file)
			v.refuses("fix", "status", "--json", "--config", file)
		}
		v.refuses("fix: ", "run", "p.yaml", "--config", file)
	}
	for _, set := range []string{"s3.secretKey=W", "s3.secretKey.env=1W", "admin.token=W", "admin.tls.key=-----BEGIN W", "s3.sekretKey=W", "checkpoint.storage=s3://key:W@bucket", "admin.toke.file.x=W"} {
		v.refuses("fix: ", "validate", "p.yaml", "--set", strings.ReplaceAll(set, "W", wrong))
		v.refuses("fix: ", "config", "p.yaml", "--set", strings.ReplaceAll(set, "W", wrong))
	}
	for _, set := range []string{"s3.sessionToken.env=W", "s3.accessKey.env=W"} {
		v.runs(0, "--set "+set[:len(set)-1]+"***", "config", "--set", strings.ReplaceAll(set, "W", wrong))
	}
	v.plant("storage.yaml", strings.Replace(served, "file://./ckpt", "s3://key:"+wrong+"@bucket/prefix", 1))
	v.refuses("has no user in it", "validate", "storage.yaml")
	v.Setenv("WASMILL_S3_SECRETKEY", wrong)
	v.refuses("WASMILL_S3_SECRETKEY", "validate", "p.yaml")
	os.Unsetenv("WASMILL_S3_SECRETKEY")
}

// whileItRuns asks a process, and has it crash.
func (v *vault) whileItRuns() {
	log, err := os.Create("process.log")
	if err != nil {
		v.Fatal(err)
	}
	defer log.Close()
	c, _ := v.command(v.Context(), "run", "p.yaml")
	c.Stdout, c.Stderr = log, log
	if err := c.Start(); err != nil {
		v.Fatal(err)
	}
	defer func() {
		_ = c.Process.Kill()
		_ = c.Wait()
		v.hears("the log", []byte(v.read("process.log")))
	}()
	at := v.seen(regexp.MustCompile(`"url":"([^"]+)"`))
	token := strings.TrimSpace(v.read("data/admin.token"))
	v.runs(0, `"pipelines": [`, "status", "--json", "--admin", at)
	v.runs(0, "p: running", "status", "--admin", at)
	v.runs(0, "nothing is different", "reload", "--admin", at)
	ask := func(method, path, authorization string, want int) {
		v.Helper()
		ctx, cancel := context.WithTimeout(v.Context(), time.Minute)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, method, at+path, nil)
		if err != nil {
			v.Fatal(err)
		}
		r.Header.Set("Authorization", authorization)
		client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
		got, err := client.Do(r)
		if err != nil {
			v.Fatal(err)
		}
		defer got.Body.Close()
		if got.StatusCode != want {
			v.Errorf("%s %s: got %s", method, path, got.Status)
		}
		text, err := io.ReadAll(got.Body)
		if err != nil {
			v.Error(err)
		}
		v.hears(method+" "+path, fmt.Append(text, got.Header))
	}
	bearer := "Bearer " + token
	for _, path := range []string{
		"/", "/healthz", "/readyz", "/metrics", "/status", "/proof?nonce=" + strings.Repeat("00", 32), "/api/v1/pipelines", "/api/v1/pipelines/p", "/api/v1/pipelines/p/vertices", "/api/v1/pipelines/p/ready", "/api/v1/openapi.json",
		"/debug/pprof/goroutine?debug=2", "/debug/pprof/heap?debug=1", "/debug/pprof/allocs",
	} {
		ask("GET", path, bearer, 200)
	}
	ask("GET", "/debug/pprof/cmdline", bearer, 404)
	ask("POST", "/api/v1/pipelines/p/checkpoint", bearer, 202)
	ask("GET", "/api/v1/pipelines", "Bearer "+v.secret("a token that is wrong"), 401)
	ask("GET", "/api/v1/pipelines", bearer+"x", 401)
	ask("GET", "/api/v1/pipelines?token="+v.secrets["a token that is wrong"], "", 401)
	v.events(at, bearer)
	v.seen(regexp.MustCompile(`"msg":"checkpoint`))
	if err := c.Process.Signal(syscall.SIGQUIT); err != nil { // the runtime writes all stacks
		v.Fatal(err)
	}
	_ = c.Wait()
	if text := v.read("process.log"); !strings.Contains(text, "SIGQUIT: quit") || !strings.Contains(text, "goroutine ") {
		v.Errorf("it did not crash: %s", text)
	}
}

// events reads some of what happens.
func (v *vault) events(at, bearer string) {
	ctx, cancel := context.WithCancel(v.Context())
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", at+"/api/v1/events", nil)
	if err != nil {
		v.Fatal(err)
	}
	r.Header.Set("Authorization", bearer)
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	got, err := client.Do(r)
	if err != nil {
		v.Fatal(err)
	}
	defer got.Body.Close()
	c, said := v.command(ctx, "phase", "p", "paused", "--admin", at)
	if err := c.Run(); err != nil {
		v.Errorf("%v: %s", err, said)
	}
	text, chunk := []byte(nil), make([]byte, 4096)
	for !bytes.Contains(text, []byte("event: checkpoint")) && err == nil {
		var n int
		n, err = got.Body.Read(chunk)
		text = append(text, chunk[:n]...)
	}
	if err != nil {
		v.Errorf("%v after %s", err, text)
	}
	v.hears("the events", text)
}

// seen waits until the process has logged something, and returns its first part.
func (v *vault) seen(what *regexp.Regexp) string {
	v.Helper()
	var m []string
	if !soon(func() bool { m = what.FindStringSubmatch(v.read("process.log")); return m != nil }) {
		v.Fatalf("%s is not in %s", what, v.read("process.log"))
	}
	return m[len(m)-1]
}

// failingStore lets a store refuse, and the key to it be none.
func (v *vault) failingStore() {
	v.Setenv("S3_ACCESS_KEY", v.secret("an access key that is wrong"))
	v.runs(3, "fix: ", "run", "p.yaml")
	v.runs(3, "fix", "checkpoint", "list", "p.yaml", "--json")
	v.plant("s3.secret", v.server.SecretKey+"\nmore")
	v.runs(2, "does not hold one line", "run", "p.yaml")
}

// files looks through all that was written.
func (v *vault) files() {
	seen := 0
	err := filepath.WalkDir(v.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(v.dir, path)
		text, rerr := os.ReadFile(path)
		if !v.planted[filepath.ToSlash(name)] {
			seen++
			v.hears(name, append([]byte(name), text...))
		}
		return errors.Join(err, rerr)
	})
	if err != nil {
		v.Error(err)
	}
	for _, needed := range []string{"ckpt", "data", "cache"} {
		if entries, err := os.ReadDir(needed); err != nil || len(entries) == 0 {
			v.Errorf("%s has %d files, %v", needed, len(entries), err)
		}
	}
	objects := v.server.Objects()
	for key, data := range objects {
		v.hears(key, append([]byte(key), data...))
	}
	if seen < 10 || len(objects) == 0 {
		v.Errorf("%d files and %d objects were looked at", seen, len(objects))
	}
}
