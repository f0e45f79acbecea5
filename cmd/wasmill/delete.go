package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host/instance"
)

func newDelete(f *flags, s stdio) *cobra.Command {
	var force, keep, yes bool
	c := &cobra.Command{
		Use:   "delete NAME",
		Short: "Remove an instance with its checkpoints and all it has kept",
		Long: `delete removes an instance, after it has asked: its checkpoints in the store, which are
those below its own name and no others; its data; and its settings. What its sinks have
written stays, also in a folder of --data-dir, with all there that is not of wasmill. It says
what it has removed. One that runs is refused without --force, which lets it drain first, and
one whose checkpoints another process has taken over, as the store says, without
--keep-checkpoints. If something fails on the way, such as the store, the rest goes
when delete is called again, and until then the instance is deleting and can do nothing else.`,
		Example: `  wasmill delete access-log
  wasmill delete access-log --force --yes`,
		Args: args(1, 1, "one instance"),
		RunE: func(c *cobra.Command, a []string) error {
			if err := noSettings(c); err != nil {
				return err
			}
			i, err := instanceOf(c, a[0])
			if err != nil {
				return err
			}
			if err := i.Deletable(force); err != nil {
				return err
			}
			what := "delete " + i.Name + ", its data and its checkpoints"
			if keep {
				what = "delete " + i.Name + " and its data, and keep its checkpoints"
			}
			if !yes && (f.json || !confirmed(s, what)) {
				return usageError(c, "nothing is deleted without a yes: answer y, or add --yes")
			}
			ctx, end := interrupted(c.Context())
			defer end()
			all := []instance.Removed{}
			err = i.Delete(ctx, force, keep, func(r instance.Removed) {
				if all = append(all, r); !f.json {
					fmt.Fprintln(s.out, removedText(r))
				}
			})
			if err != nil {
				return err
			}
			if f.json {
				printJSON(s.out, map[string]any{"ok": true, "instance": i.Name, "removed": all})
			}
			return nil
		},
	}
	c.Flags().BoolVar(&force, "force", false, "also if it runs, which drains it first and kills it if it does not end")
	c.Flags().BoolVar(&keep, "keep-checkpoints", false, "leave the store alone, such as one that is gone; create --restore goes on from what is there")
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	homeFlag(c)
	return c
}

// removedText says what is gone.
func removedText(r instance.Removed) string {
	var text strings.Builder
	fmt.Fprintf(&text, "removed %s (%s", r.What, humanBytes(float64(r.Bytes)))
	if r.Objects > 0 {
		fmt.Fprintf(&text, " in %s", counted(r.Objects, "object"))
	}
	fmt.Fprintf(&text, "): %s", safe(r.Where))
	if r.Left > 0 {
		what := "object"
		if r.What == "data" {
			what = "entry"
		}
		fmt.Fprintf(&text, "; %s there not of wasmill, and kept", counted(r.Left, what))
	}
	return text.String()
}
