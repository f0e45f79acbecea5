package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/explain"
	"github.com/wasmill/wasmill/host/stream"
)

func newExplain(f *flags, s stdio) *cobra.Command {
	return &cobra.Command{
		Use:   "explain [CODE]",
		Short: "Tell what the code of an error means, and what to do",
		Long: `explain tells of the code that stands in brackets behind an error what went wrong,
when that happens, how it looks, what to do, and which exit code it gives. Without a
code it lists all of them.`,
		Example: `  wasmill explain plugin-import
  wasmill explain --json`,
		Args: args(0, 1, "one code, such as config-value, or none for a list of all"),
		ValidArgsFunction: func(_ *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(given) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return explain.Like(""), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, given []string) error {
			if len(given) == 0 {
				return listCodes(f, s)
			}
			code := strings.Trim(given[0], "[]") // as it was printed
			e, ok := explain.Of(stream.Code(code))
			if !ok {
				return &stream.Error{Code: stream.Usage, Where: c.CommandPath(), Why: fmt.Sprintf("there is no code %.40q", code), Fix: suggestCode(code)}
			}
			if f.json {
				printJSON(s.out, map[string]any{"ok": true, "code": entryOf(e)})
				return nil
			}
			_, err := fmt.Fprint(s.out, e)
			return err
		},
	}
}

// suggestCode says which code may have been meant: the nearest, or those that have a
// word of it.
func suggestCode(code string) string {
	all := explain.Like("")
	if near := config.Suggest(code, all); strings.HasPrefix(near, "did you mean") {
		return near
	}
	if like := explain.Like(code); len(like) < len(all) {
		return config.Suggest(code, like)
	}
	return "wasmill explain lists all"
}

// listCodes prints all codes with a line each.
func listCodes(f *flags, s stdio) error {
	all := explain.All()
	if f.json {
		codes := make([]entryJSON, len(all))
		for i, e := range all {
			codes[i] = entryOf(e)
		}
		printJSON(s.out, map[string]any{"ok": true, "codes": codes})
		return nil
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "CODE\tEXIT\tMEANING")
	for _, e := range all {
		fmt.Fprintf(w, "%s\t%d\t%s\n", e.Code, e.Exit(), e.Title)
	}
	return w.Flush()
}

type entryJSON struct {
	Code    stream.Code `json:"code"`
	Title   string      `json:"title"`
	Cause   string      `json:"cause"`
	Example string      `json:"example"` // as it is printed, without error: before it
	Fix     string      `json:"fix"`
	Exit    int         `json:"exit"`
}

func entryOf(e explain.Entry) entryJSON {
	return entryJSON{e.Code, e.Title, e.Cause, e.Example.Error(), e.Fix, e.Exit()}
}
