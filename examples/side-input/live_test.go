package sideinput_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/stream"
)

// TestSideInputsChangeWhileThePipelineRuns has orders on standard input, and changes
// first the rates and then the rules.
func TestSideInputsChangeWhileThePipelineRuns(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(".")); err != nil {
		t.Fatal(err)
	}
	orders, in := io.Pipe()
	h, err := host.Open(t.Context(), host.Options{
		Files: []string{filepath.Join(dir, "pipeline.yaml")}, Stdin: orders,
		Set: []string{"plugins.dir=../../plugins", "vertices.orders.source=stdin", "vertices.rules.source.file.follow=true"},
	})
	if stream.CodeOf(err) == stream.PluginNotFound && os.Getenv("REQUIRE_GUESTS") == "" {
		t.Skip("its plugin is not built: run make plugins")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := h.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	done := make(chan error)
	go func() { done <- h.Run(t.Context()) }()
	priced := func(eur string) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); ; {
			if _, err := fmt.Fprintln(in, `{"amount":100,"currency":"USD"}`); err != nil {
				t.Fatal(err)
			}
			time.Sleep(20 * time.Millisecond)
			data, err := os.ReadFile(filepath.Join(dir, "out", "priced.ndjson"))
			if err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
			if strings.Contains(string(data), `"eur":`+eur+`}`) {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("no order for %s euros in %s", eur, data)
			}
		}
	}
	write := func(name, text string, flags int) {
		t.Helper()
		f, err := os.OpenFile(filepath.Join(dir, name), flags|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	priced("92.92")
	write("rates.new", `{"USD": 2}`, os.O_CREATE)
	if err := os.Rename(filepath.Join(dir, "rates.new"), filepath.Join(dir, "rates.json")); err != nil {
		t.Fatal(err)
	}
	priced("202")
	write("rules.ndjson", "{\"fee\": 0.5}\n", os.O_APPEND)
	priced("300")
	write("rates.json", `{"USD": 3, "spoilt"`, os.O_TRUNC) // the plugin keeps what it had
	write("rules.ndjson", "{\"fee\": 0.25}\n", os.O_APPEND)
	priced("250")
	write("rates.json", `{"USD": 4}`, os.O_TRUNC)
	priced("500")
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	h.Drain()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}
