package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/control/revision"
	"github.com/wasmill/wasmill/host/instance"
	"github.com/wasmill/wasmill/host/wasm"
)

const (
	diagnosedLog = 4 << 20          // bytes of each log
	storeTime    = 20 * time.Second // for the list of checkpoints in all stores
)

// diagnosis fills an archive with what is known of an instance. Each part stands alone: what
// is wrong with one is said, and the others are there.
type diagnosis struct {
	command *cobra.Command
	home    *instance.Home
	name    string
	timeout time.Duration // of all answers of its process
	archive archive

	masker   *config.Masker
	instance *instance.Instance // nil = its spec cannot be read
	options  host.Options       // of its pipeline, for this folder
	settings *config.Process    // nil = they cannot be read
	why      error              // of what is nil
}

// collect fills the archive. The error is that there is no such instance.
func (d *diagnosis) collect(ctx context.Context) error {
	files, err := d.home.Raw(d.name, diagnosedLog)
	if err != nil {
		return err
	}
	if d.instance, d.why = d.home.Open(d.name); d.why == nil {
		if d.options, d.why = d.instance.Placed(os.Environ()); d.why == nil {
			d.settings, d.why = host.Settings(d.options)
		}
	}
	d.masker = config.NewMasker(os.Environ(), d.secrets()...)
	for _, f := range files {
		d.archive.add(f.Name, d.masked(f), f.Err)
	}
	d.see()
	d.ask(ctx)
	d.checkpoints(ctx)
	d.kept()
	versions := map[string]any{"this": versions(), "path": d.home.Executable}
	folders := []string{d.home.Dir}
	if d.instance != nil {
		versions["instance"] = d.instance.Spec.Binary
		folders = append(folders, d.instance.Spec.Data)
	}
	d.json("versions.json", versions, nil)
	d.json("machine.json", machineOf(folders...), nil)
	for i, line := range d.archive.missing {
		d.archive.missing[i] = d.masker.Text(line)
	}
	return nil
}

// secrets are those that the settings refer to, and the token of the API.
func (d *diagnosis) secrets() (all []string) {
	if d.settings == nil {
		return nil
	}
	for _, ref := range []config.SecretRef{d.settings.S3.AccessKey, d.settings.S3.SecretKey, d.settings.S3.SessionToken} {
		if secret, err := ref.Resolve(append(os.Environ(), d.options.Env...)); err == nil {
			all = append(all, secret.Reveal())
		}
	}
	for _, file := range []string{d.settings.Admin.Token.File, d.settings.Admin.TLS.Key} {
		if text, err := os.ReadFile(file); err == nil {
			for line := range strings.Lines(string(text)) {
				if line = strings.TrimSpace(line); !strings.HasPrefix(line, "-----") {
					all = append(all, line)
				}
			}
		}
	}
	return all
}

// masked masks a file of the instance, by what it is.
func (d *diagnosis) masked(f instance.RawFile) []byte {
	switch f.Name {
	case "pipeline.yaml":
		return []byte(d.masker.YAML(f.Data))
	case "spec.json":
		return d.spec(f.Data)
	}
	return []byte(d.masker.Text(string(f.Data)))
}

// spec masks the settings in a spec, each as what it is.
func (d *diagnosis) spec(data []byte) []byte {
	var spec map[string]any
	numbers := json.NewDecoder(bytes.NewReader(data))
	numbers.UseNumber()
	if numbers.Decode(&spec) != nil {
		return []byte(d.masker.Text(string(data))) // it is damaged
	}
	for _, list := range []string{"set", "env"} {
		all, _ := spec[list].([]any)
		for i := range all {
			if text, ok := all[i].(string); ok {
				name, value, _ := strings.Cut(text, "=")
				all[i] = name + "=" + d.masker.Setting(name, value)
			}
		}
	}
	files, _ := spec["settings"].([]any)
	for _, f := range files {
		if file, ok := f.(map[string]any); ok {
			if text, ok := file["content"].(string); ok {
				file["content"] = d.masker.YAML([]byte(text))
			}
		}
	}
	out, err := json.MarshalIndent(spec, "", "  ")
	if err != nil {
		return []byte(d.masker.Text(string(data)))
	}
	return []byte(d.masker.Text(string(out)))
}

// json adds a value, masked.
func (d *diagnosis) json(name string, value any, err error) {
	var data []byte
	if err == nil {
		data, err = json.MarshalIndent(value, "", "  ")
	}
	d.archive.add(name, []byte(d.masker.Text(string(data))), err)
}

// see adds what wasmill status knows without asking.
func (d *diagnosis) see() {
	if d.instance == nil {
		d.archive.add("seen.json", nil, d.why)
		return
	}
	seen, err := d.instance.See()
	d.json("seen.json", seen, err)
}

// ask adds what its process answers, if it does so in time.
func (d *diagnosis) ask(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	c, err := adminOf(d.command, d.instance, d.why)
	for _, part := range []struct{ name, path string }{
		{"status.json", "/status"}, {"readiness.json", "/api/v1/pipelines/" + d.name + "/ready"}, {"metrics.txt", "/metrics"},
		{"goroutines.txt", "/debug/pprof/goroutine?debug=2"}, {"heap.pb.gz", "/debug/pprof/heap"},
	} {
		var data []byte
		asked := err
		if asked == nil {
			data, _, asked = c.raw(ctx, http.MethodGet, part.path, nil, d.timeout)
		}
		if !strings.HasSuffix(part.name, ".gz") { // it has names of functions alone
			data = []byte(d.masker.Text(string(data)))
		}
		d.archive.add(part.name, data, asked)
	}
}

// adminOf is a client of the process of an instance, or of why there is none.
func adminOf(c *cobra.Command, i *instance.Instance, why error) (*client, error) {
	if i == nil || why != nil {
		return nil, why
	}
	for _, name := range []string{"admin-ca", "admin-cert", "admin-key"} { // which only a command that asks has as flags
		if c.Flags().Lookup(name) == nil {
			c.Flags().String(name, "", "")
		}
	}
	return clientOf(c, i.Name)
}

// checkpoints adds the list of those in all stores that it has had some in.
func (d *diagnosis) checkpoints(ctx context.Context) {
	const name = "checkpoints.json"
	if d.settings == nil {
		d.archive.add(name, nil, d.why)
		return
	}
	record, err := d.instance.Record()
	if err != nil {
		d.archive.add(name, nil, err)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	stores := map[string]any{}
	for _, at := range record.Stores {
		all, err := host.Checkpoints(host.CheckpointsOf{Storage: at, Pipeline: d.name}, d.options)
		if err == nil {
			stores[at], err = all.List(ctx)
			err = errors.Join(err, all.Close())
		}
		if err != nil {
			d.archive.add(name+" of "+at, nil, err)
			delete(stores, at)
		}
	}
	d.json(name, stores, nil)
}

// kept adds what is in the folders of its plugins, its data and its cache.
func (d *diagnosis) kept() {
	if d.settings == nil {
		for _, name := range []string{"plugins.json", "quarantine.json", "revisions.json"} {
			d.archive.add(name, nil, d.why)
		}
		return
	}
	plugins, err := pluginFiles(d.settings.Plugins.Dir)
	d.json("plugins.json", plugins, err)
	suspects, err := wasm.Suspects(d.settings.Cache.Dir)
	d.json("quarantine.json", suspects, err)
	revisions, damaged, err := host.Revisions(d.settings, d.name).List()
	if revisions == nil {
		revisions = []revision.Revision{}
	}
	d.json("revisions.json", revisions, err)
	for _, err := range damaged {
		d.archive.add("a revision", nil, err)
	}
}

// diagnosedPlugin is a file of the plugins folder.
type diagnosedPlugin struct {
	Name   string    `json:"name"`
	SHA256 string    `json:"sha256,omitempty"`
	Bytes  int       `json:"bytes"`
	Time   time.Time `json:"time"`
	Error  string    `json:"error,omitempty"`
}

// pluginFiles lists those of a plugins folder, without loading them.
func pluginFiles(dir string) ([]diagnosedPlugin, error) {
	if _, err := os.Stat(dir); err != nil {
		return nil, err
	}
	names, err := wasm.Names(dir)
	if err != nil {
		return nil, err
	}
	all := []diagnosedPlugin{}
	for _, name := range names {
		p := diagnosedPlugin{Name: name}
		file := filepath.Join(dir, name+wasm.Ext)
		info, err := os.Stat(file)
		if err == nil && !info.Mode().IsRegular() {
			err = fmt.Errorf("%s is no regular file", file)
		}
		var data []byte
		if err == nil {
			data, err = os.ReadFile(file)
		}
		if err != nil {
			p.Error = err.Error()
		} else {
			sum := sha256.Sum256(data)
			p.SHA256, p.Bytes, p.Time = hex.EncodeToString(sum[:]), len(data), info.ModTime()
		}
		all = append(all, p)
	}
	return all, nil
}
