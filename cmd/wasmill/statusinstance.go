package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host/instance"
)

// instanceStatus tells of an instance, and of its pipeline if that runs.
func instanceStatus(c *cobra.Command, f *flags, s stdio, name string, watch bool) error {
	i, err := instanceOf(c, name)
	if err != nil {
		return err
	}
	seen, err := i.See()
	if err != nil {
		return err
	}
	if !f.json {
		if _, err := io.WriteString(s.out, instanceText(&seen)); err != nil {
			return err
		}
	}
	if seen.PID == 0 || seen.Admin == "" {
		if f.json {
			printJSON(s.out, map[string]any{"ok": true, "instance": seen, "pipelines": []any{}})
		}
		return nil
	}
	path, err := pipelinePath(name)
	if err != nil {
		return err
	}
	l := &statusLook{one: true, path: path, instance: &seen}
	if l.client, err = clientOf(c, name); err != nil {
		return err
	}
	return l.run(c.Context(), s, f.json, watch)
}

// instanceText is what people read.
func instanceText(s *instance.Seen) string {
	var out strings.Builder
	line := fmt.Sprintf("instance %s: %s for %s", s.Name, s.State, age(time.Since(s.Since)))
	if s.State == instance.Running && !s.Ready {
		line += ", not ready"
	}
	if s.Progress != nil && instance.Missing(s.Progress) != "" {
		line += ": " + safe(instance.Missing(s.Progress))
	}
	fmt.Fprintln(&out, line)
	for why := range strings.Lines(s.Reason) {
		fmt.Fprintf(&out, "  %s\n", safe(strings.TrimRight(why, "\n")))
	}
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	for _, f := range []struct{ what, text string }{
		{"processes", processOf(*s)}, {"pipeline", s.Pipeline}, {"created from", s.From}, {"runs with", strings.TrimSpace(s.Binary.String() + " " + s.Binary.Path)}, {"upgrade to", upgradeOf(s)}, {"data", s.Data}, {"log", s.Log},
		{"checkpoints", strings.Join(s.Stores, ", ")}, {"admin", s.Admin},
	} {
		if f.text != "" {
			fmt.Fprintf(w, "  %s\t%s\n", f.what, safe(f.text))
		}
	}
	_ = w.Flush() // to memory
	return out.String()
}

// upgradeOf is the binary that is to take over; empty = none is.
func upgradeOf(s *instance.Seen) string {
	if s.Upgrade == nil {
		return ""
	}
	return s.Upgrade.String() + " " + s.Upgrade.Path
}
