package main

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/config"
)

func newConfig(f *flags, s stdio) *cobra.Command {
	var changed bool
	c := &cobra.Command{
		Use:   "config [PIPELINE…]",
		Short: "Show every setting that is in force, and where it comes from",
		Long: `config reads the settings of the process as run does, and those of the pipeline files
that are named, and shows for each value where it comes from: default, the file with
line and column, environment NAME or --set. What has neither a value nor a default is
left out. Of a secret the reference to it is shown, and never what it is; what may be
one by its name, such as a param called password, is masked. No plugin is loaded and
nothing is changed.`,
		Example: `  wasmill config
  wasmill config pipeline.yaml --changed
  wasmill config --set log.level=debug --json`,
		RunE: func(c *cobra.Command, files []string) error {
			shown, err := settingsOf(f, s, files, changed)
			switch {
			case err != nil:
				return err
			case f.json:
				printJSON(s.out, map[string]any{"ok": true, "process": shown[0].Settings, "pipelines": shown[1:]})
				return nil
			}
			for i, part := range shown {
				if err := part.write(s.out, i > 0); err != nil {
					return err
				}
			}
			return nil
		},
	}
	c.Flags().BoolVar(&changed, "changed", false, "leave out what is as by default")
	return c
}

// configShown is the settings of the process, or of a pipeline.
type configShown struct {
	Pipeline string        `json:"pipeline"`
	File     string        `json:"file"`
	Settings []settingJSON `json:"settings"`
}

type settingJSON struct {
	Setting string `json:"setting"`
	Value   string `json:"value"`  // as it could be written
	Origin  string `json:"origin"` // config.Default if no layer has it
}

// settingsOf reads the settings of the process, which come first, and of files. The error
// joins all that is wrong.
func settingsOf(f *flags, s stdio, files []string, changed bool) ([]configShown, error) {
	process, err := host.Settings(f.options(nil, s))
	if err != nil {
		return nil, err
	}
	shown := []configShown{{Settings: listSettings(process.Values(), changed)}}
	var errs []error
	for _, file := range files {
		p, err := host.Load(file, f.options(nil, s))
		if err != nil {
			errs = append(errs, err)
			continue
		}
		shown = append(shown, configShown{p.Name, file, listSettings(p.Values(), changed)})
	}
	return shown, errors.Join(errs...)
}

// listSettings lists the values that there are.
func listSettings(values []config.Value, changed bool) []settingJSON {
	all := []settingJSON{}
	for _, v := range values {
		if v.Own == "" || changed && v.Origin() == config.Default {
			continue
		}
		all = append(all, settingJSON{v.Path, v.Own, v.Origin()})
	}
	return all
}

// write prints a table, behind another one or not.
func (c configShown) write(out io.Writer, behind bool) error {
	title := "SETTING OF THE PROCESS"
	if behind {
		title = fmt.Sprintf("SETTING OF %s (%s)", c.Pipeline, c.File)
		fmt.Fprintln(out)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s\tVALUE\tORIGIN\n", safe(title))
	for _, v := range c.Settings {
		fmt.Fprintf(w, "%s\t%s\t%s\n", v.Setting, v.Value, safe(v.Origin))
	}
	return w.Flush()
}
