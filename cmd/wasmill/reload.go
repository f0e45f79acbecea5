package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

func newReload(f *flags, s stdio) *cobra.Command {
	var at *string
	c := &cobra.Command{
		Use:   "reload",
		Short: "Let a process that runs read its config again",
		Long: `reload asks a process that runs to read its config again, and waits until that is
in force. If something is wrong with it, all errors are printed, and everything
goes on as it was.`,
		Example: `  wasmill reload
  wasmill reload --admin unix:data/admin.sock`,
		Args: args(0, 0, "nothing"),
		RunE: func(c *cobra.Command, _ []string) error {
			cl, err := newClient(c, f, s, *at)
			if err != nil {
				return err
			}
			var answer json.RawMessage
			if err := cl.post(c.Context(), "/api/v1/reload", nil, &answer); err != nil {
				return err
			}
			if f.json {
				printJSON(s.out, map[string]any{"ok": true, "answer": answer})
				return nil
			}
			return printReloaded(s.out, answer)
		},
	}
	at = adminFlag(c)
	return c
}

// printReloaded says what is different of each pipeline.
func printReloaded(w io.Writer, answer []byte) error {
	var all struct {
		Pipelines []struct {
			Pipeline string
			Revision uint64
			Class    string
			Plugins  []string
			Plan     struct {
				Steps []struct{ Path, Old, New string }
			}
		}
	}
	if err := json.Unmarshal(answer, &all); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	var out strings.Builder
	for _, p := range all.Pipelines {
		if len(p.Plan.Steps)+len(p.Plugins) == 0 {
			fmt.Fprintf(&out, "%s: nothing is different\n", safe(p.Pipeline))
			continue
		}
		fmt.Fprintf(&out, "%s: revision %d is in force, a change of class %s\n", safe(p.Pipeline), p.Revision, safe(p.Class))
		for _, text := range p.Plugins {
			fmt.Fprintf(&out, "  %s\n", safe(text))
		}
		for _, step := range p.Plan.Steps {
			fmt.Fprintf(&out, "  %s: %s → %s\n", safe(step.Path), safe(orWord(step.Old, "nothing")), safe(orWord(step.New, "nothing")))
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}
