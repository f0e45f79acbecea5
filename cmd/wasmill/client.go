package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/admin"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/stream"
)

// adminFlag adds the flags that say which process is meant, and how it is asked.
func adminFlag(c *cobra.Command) *string {
	c.Flags().String("admin-ca", "", "file of the certificates that the process is known by (default: admin.tls.cert, then those of the system)")
	c.Flags().String("admin-cert", "", "file of the certificate to show to a process with admin.tls.clientCA")
	c.Flags().String("admin-key", "", "file of the key of --admin-cert")
	c.Flags().String("instance", "", "ask the process of this instance, which wasmill create has made")
	homeFlag(c)
	return c.Flags().String("admin", "", "where the process listens, such as 127.0.0.1:7676, https://127.0.0.1:7676 or unix:data/admin.sock (default: where admin.listen says)")
}

// client asks a process of wasmill that runs.
type client struct {
	http    http.Client
	base    string // of URLs
	at      string // as the setting admin.listen has it
	token   string
	noToken error // why there is no token; nil = there is, or needs to be none
}

const (
	askTimeout    = 10 * time.Second // for what takes no time
	changeTimeout = 6 * time.Minute  // for what takes as long as the pipelines do
	maxAnswer     = 64 << 20         // bytes
)

// newClient returns a client of the process that a command line is about: the one at
// the address given, or that with the same settings.
func newClient(c *cobra.Command, f *flags, s stdio, given string) (*client, error) {
	if name := flagOf(c, "instance"); name != "" {
		if given != "" {
			return nil, usageError(c, "--instance and --admin name two processes: choose one")
		}
		return clientOf(c, name)
	}
	settings, err := host.Settings(f.options(nil, s))
	if err != nil {
		return nil, err
	}
	return newClientFor(c, settings, given)
}

// newClientFor is newClient with the settings of the process.
func newClientFor(c *cobra.Command, settings *config.Process, given string) (*client, error) {
	secure := &security{ca: flagOf(c, "admin-ca"), cert: flagOf(c, "admin-cert"), key: flagOf(c, "admin-key"), own: settings.Admin.TLS.Cert}
	if err := secure.decide(c, given); err != nil {
		return nil, err
	}
	at, err := adminAddress(c, settings.Admin.Listen, given)
	if err != nil {
		return nil, err
	}
	cl := &client{at: at, base: "http://" + at}
	transport := &http.Transport{DisableKeepAlives: true} // and no proxy
	path, private := strings.CutPrefix(at, "unix:")
	if !private {
		cl.token, cl.noToken = admin.ReadToken(settings.Admin.Token.File)
	}
	switch {
	case private:
		cl.base = "http://localhost"
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", path)
		}
	case secure.on:
		cl.base = "https://" + at
		if transport.TLSClientConfig, err = secure.config(); err != nil {
			return nil, err
		}
	case cl.token != "":
		transport.DialContext = cl.dialProven
	}
	cl.http = http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return cl, nil
}

// adminAddress is where to ask.
func adminAddress(c *cobra.Command, listen config.Listen, given string) (string, error) {
	if given != "" {
		listen = ""
		_, address := splitScheme(given)
		if err := listen.UnmarshalText([]byte(strings.TrimSuffix(address, "/"))); err != nil {
			e, _ := errors.AsType[*stream.Error](err)
			return "", &stream.Error{Code: stream.Usage, Where: c.CommandPath() + " --admin", Why: e.Why, Fix: "write what the first line of wasmill run says, such as 127.0.0.1:7676"}
		}
	}
	addresses := listen.Addresses()
	switch {
	case len(addresses) == 0:
		return "", &stream.Error{Code: stream.Usage, Where: "admin.listen", Why: "it is off, so a process with these settings cannot be asked", Fix: "set it to an address for the next run, or name another process with --admin"}
	case strings.HasSuffix(addresses[0], ":0"):
		return "", &stream.Error{Code: stream.Usage, Where: "admin.listen", Why: "it is any free port", Fix: "name the one that the first line of wasmill run says with --admin"}
	}
	return addresses[0], nil
}

// get asks for a path and decodes the answer.
func (c *client) get(ctx context.Context, path string, answer any) error {
	return c.ask(ctx, http.MethodGet, path, nil, askTimeout, answer)
}

// pipelines asks what all pipelines of the process do and hold.
func (c *client) pipelines(ctx context.Context) ([]seenPipeline, error) {
	var answer struct{ Pipelines []seenPipeline }
	err := c.get(ctx, "/api/v1/pipelines", &answer)
	return answer.Pipelines, err
}

// post asks for a change, which body describes, nil = nothing does.
func (c *client) post(ctx context.Context, path string, body, answer any) error {
	return c.ask(ctx, http.MethodPost, path, body, changeTimeout, answer)
}

func (c *client) ask(ctx context.Context, method, path string, body any, timeout time.Duration, answer any) error {
	text, status, err := c.raw(ctx, method, path, body, timeout)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return c.stranger("it answers "+status, err)
	}
	return nil
}

// raw is ask with the answer as it is, which is no refusal.
func (c *client) raw(ctx context.Context, method, path string, body any, timeout time.Duration) (answer []byte, status string, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var text []byte
	if body != nil {
		if text, err = json.Marshal(body); err != nil {
			panic("BUG: a request has no JSON: " + err.Error())
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(text))
	if err != nil {
		return nil, "", err
	}
	if text != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	got, err := c.http.Do(r)
	if err != nil {
		return nil, "", c.silent(err)
	}
	defer got.Body.Close()
	if text, err = io.ReadAll(io.LimitReader(got.Body, maxAnswer)); err != nil {
		return nil, "", c.silent(err)
	}
	if got.StatusCode/100 != 2 {
		return nil, "", c.refusal(got.StatusCode, text)
	}
	return text, got.Status, nil
}

// silent says that there is no answer.
func (c *client) silent(err error) error {
	if e, ok := errors.AsType[*stream.Error](err); ok {
		return e // of dialProven
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err // without the URL
	}
	if e := c.insecure(err); e != nil {
		return e
	}
	why := "no answer comes from there"
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "dial" {
		why = "no process of wasmill listens there"
	}
	fix := "start one with wasmill run; if one runs elsewhere, name the address that its first line says with --admin"
	if strings.HasPrefix(c.base, "https:") {
		fix += "; if its admin.tls.clientCA is set, it ends connections without --admin-cert and --admin-key"
	}
	return &stream.Error{Code: stream.Environment, Where: c.at, Why: why, Err: err, Fix: fix}
}

// stranger says that an answer is not one of wasmill.
func (c *client) stranger(what string, err error) error {
	return &stream.Error{
		Code: stream.Environment, Where: c.at, Why: "what listens there is not a process of this wasmill: " + what, Err: err,
		Fix: "name the address that the first line of wasmill run says with --admin",
	}
}

// refusal is the error that was answered.
func (c *client) refusal(status int, text []byte) error {
	var fault admin.Fault
	if err := json.Unmarshal(text, &fault); err != nil || fault.Code == "" {
		return c.stranger(answered(status, text), err)
	}
	if fault.Code == admin.APIToken {
		if c.noToken != nil {
			return c.noToken
		}
		fault.Fix = otherToken
	}
	errs := []error{}
	for _, f := range append([]admin.Fault{fault}, fault.More...) {
		errs = append(errs, &stream.Error{Code: f.Code, Where: cmp.Or(f.Where, c.at), Why: f.Why, Fix: f.Fix})
	}
	return errors.Join(errs...)
}

// otherToken is what to do about a process with another token.
const otherToken = "another process listens there: name the address that the first line of wasmill run says with --admin; or set data.dir or admin.token.file as it has them"

// pipelinePath is the path of a pipeline in the API.
func pipelinePath(name string) (string, error) {
	if name == "" || url.PathEscape(name) != name {
		return "", &stream.Error{Code: admin.PipelineUnknown, Where: fmt.Sprintf("%.40q", name), Why: "that is not the name of a pipeline", Fix: "wasmill status lists them"}
	}
	return "/api/v1/pipelines/" + name, nil
}
