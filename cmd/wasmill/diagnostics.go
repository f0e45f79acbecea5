package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/wasmill/wasmill/host/stream"
)

func newDiagnostics(f *flags, s stdio) *cobra.Command {
	var to string
	var timeout time.Duration
	c := &cobra.Command{
		Use:   "diagnostics NAME",
		Short: "Write what is known of an instance into an archive, without secrets",
		Long: `diagnostics writes an archive of all that helps who looks into what is wrong with an
instance, in whatever state it is, also if its files are damaged: its state, its spec and its
pipeline; the ends of its logs; its status, readiness, metrics, goroutines and heap, if its
process answers within --timeout; its checkpoints, revisions and plugins with their
hashes, plugins in quarantine; versions, and what the machine has. What cannot be had is
in missing.txt, with the reason.

Secrets are masked by ***: those that the settings refer to and those in variables of this
environment whose names say so, wherever they stand; and what stands behind such a
name, in a URL, or looks like a key. Have a look before you give it away all the same: records
that a plugin logs are in the log.`,
		Example: `  wasmill diagnostics access-log
  wasmill diagnostics access-log -o - | tar tz`,
		Args: args(1, 1, "one instance"),
		RunE: func(c *cobra.Command, a []string) error {
			if err := noSettings(c); err != nil {
				return err
			}
			if timeout <= 0 {
				return usageError(c, "--timeout is a time to wait, such as 5s")
			}
			h, err := homeOf(c)
			if err != nil {
				return err
			}
			if err := emptyFlag(c, "output"); err != nil {
				return err
			}
			now := time.Now().UTC()
			if to == "" {
				to = fmt.Sprintf("wasmill-diagnostics-%s-%s.tar.gz", a[0], now.Format("20060102T150405Z"))
			}
			if out, ok := s.out.(*os.File); ok && to == "-" && term.IsTerminal(int(out.Fd())) {
				return usageError(c, "an archive is nothing for a terminal: name a file with -o, or pass it on")
			}
			d := &diagnosis{command: c, home: h, name: a[0], timeout: timeout, archive: archive{folder: "wasmill-diagnostics-" + a[0]}}
			if err := d.collect(c.Context()); err != nil {
				return err
			}
			var out bytes.Buffer
			if err := d.archive.write(&out, now); err != nil {
				return err
			}
			said := s.out
			if to == "-" {
				said = s.err // standard output is the archive
				_, err = s.out.Write(out.Bytes())
			} else {
				err = writeNew(to, out.Bytes())
			}
			if err != nil {
				return err
			}
			if f.json {
				printJSON(said, map[string]any{"ok": true, "file": to, "bytes": out.Len(), "files": d.archive.files, "missing": append([]string{}, d.archive.missing...)})
				return nil
			}
			fmt.Fprintf(said, "wrote %s (%s): %s\n", to, humanBytes(float64(out.Len())), counted(len(d.archive.files), "file"))
			for _, line := range d.archive.missing {
				fmt.Fprintf(said, "  missing: %s\n", safe(line))
			}
			return nil
		},
	}
	c.Flags().StringVarP(&to, "output", "o", "", "the file, - for standard output (default: wasmill-diagnostics-NAME-TIME.tar.gz here)")
	c.Flags().DurationVar(&timeout, "timeout", 5*time.Second, "how long its process may take for all its answers")
	homeFlag(c)
	return c
}

// writeNew writes a file that is not there yet.
func writeNew(name string, data []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return &stream.Error{Code: stream.Usage, Where: name, Why: "the file is there already, and stays as it is", Fix: "name another one with -o"}
	}
	if err == nil {
		_, err = f.Write(data)
		if err = errors.Join(err, f.Close()); err != nil {
			_ = os.Remove(name)
		}
	}
	if err != nil {
		return &stream.Error{Code: stream.Environment, Where: name, Why: "the archive cannot be written", Err: err, Fix: "name a file in another folder with -o"}
	}
	return nil
}
