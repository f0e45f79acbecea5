package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

func newLogs(f *flags, s stdio) *cobra.Command {
	var follow bool
	var lines int
	c := &cobra.Command{
		Use:   "logs NAME",
		Short: "Print what an instance has logged",
		Long: `logs prints the last lines that the processes of an instance have logged, from the file
log of its folder and the older one beside it. It goes on with new ones with -f, until
interrupted or the instance is deleted. On a terminal, what could steer it is escaped. With
--json each line is an object: {"line": …}.`,
		Example: `  wasmill logs access-log -f -n 100`,
		Args:    args(1, 1, "one instance"),
		RunE: func(c *cobra.Command, a []string) error {
			i, err := instanceOf(c, a[0])
			if err != nil {
				return err
			}
			ctx, end := interrupted(c.Context())
			defer end()
			return i.Tail(ctx, lines, follow, logPrinter(s.out, f.json))
		},
	}
	c.Flags().BoolVarP(&follow, "follow", "f", false, "go on with what comes")
	c.Flags().IntVarP(&lines, "lines", "n", 100, "how many lines to begin with; -1 = all")
	homeFlag(c)
	return c
}

// logPrinter prints lines to where they go.
func logPrinter(out io.Writer, asJSON bool) func([]byte) error {
	file, ok := out.(*os.File)
	if terminal := ok && term.IsTerminal(int(file.Fd())); !asJSON {
		return func(line []byte) error {
			text := string(line)
			if terminal {
				text = safe(text)
			}
			_, err := fmt.Fprintln(out, text)
			return err
		}
	}
	return func(line []byte) error {
		printJSON(out, map[string]string{"line": string(line)})
		return nil
	}
}
