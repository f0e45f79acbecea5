package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host/control"
	"github.com/wasmill/wasmill/host/stream"
)

func newCheckpointShow(f *flags, of *checkpointFlags, s stdio) *cobra.Command {
	return &cobra.Command{
		Use:   "show PIPELINE [EPOCH] | --storage URL --pipeline NAME [EPOCH]",
		Short: "Show what a checkpoint has of each vertex",
		Long: `show tells when and why a checkpoint was taken, what it cost, and what it has of
each vertex: positions of sources, plugins, tables with their parts, and what
sinks have to commit. It reads none of the state. Without an epoch it shows the
newest. With --json every part is listed.`,
		Example: "  wasmill checkpoint show pipeline.yaml 42",
		RunE: func(c *cobra.Command, a []string) error {
			return of.with(c, f, s, a, 0, 1, func(all *control.Checkpoints, epochs []stream.Epoch) error {
				e, err := orNewest(c, all, epochs)
				if err != nil {
					return err
				}
				d, err := all.Show(c.Context(), e)
				if err != nil {
					return err
				}
				if f.json {
					printJSON(s.out, map[string]any{"ok": true, "pipeline": all.Pipeline, "storage": all.Storage, "checkpoint": d})
					return nil
				}
				return printDetail(s.out, d, time.Now())
			})
		},
	}
}

func printDetail(out io.Writer, d *control.CheckpointDetail, now time.Time) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(name, format string, values ...any) {
		fmt.Fprintf(w, "%s\t%s\n", safe(name), safe(fmt.Sprintf(format, values...)))
	}
	size := func(n int64) string { return humanBytes(float64(n)) }
	line("epoch", "%d, %s", d.Epoch, d.State)
	line("created", "%s, %s ago, by wasmill %s, generation %d", d.Created.Format(time.RFC3339), age(now.Sub(d.Created)), d.Wasmill, d.Generation)
	line("why", "%s; interval %s, config revision %d", d.Reason, interval(d.CheckpointEntry), d.Revision)
	line("took", "%v to align, %v for snapshots, %v to upload", time.Duration(d.Duration.Align), time.Duration(d.Duration.Snapshot), time.Duration(d.Duration.Upload))
	line("size", "%s new (%s stored), %s in all, in %s", size(d.NewBytes), size(d.StoredBytes), size(d.TotalBytes), counted(d.Objects, "object"))
	if d.Parent != 0 {
		line("builds on", "%d", d.Parent)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(out)
	fmt.Fprintln(w, "VERTEX\tHOLDS")
	for _, v := range d.Holds {
		for i, text := range holds(v) {
			name := ""
			if i == 0 {
				name = string(v.Vertex)
			}
			line(name, "%s", text)
		}
	}
	return w.Flush()
}

// holds describes what a checkpoint has of a vertex, in lines.
func holds(v control.VertexHolding) []string {
	var lines []string
	if v.Position != "" {
		lines = append(lines, "position "+v.Position)
	}
	var meta map[string]json.RawMessage
	if err := json.Unmarshal(v.Meta, &meta); err != nil && len(v.Meta) > 0 {
		lines = append(lines, brief(v.Meta))
	}
	for _, k := range slices.Sorted(maps.Keys(meta)) {
		if k != "position" || v.Position == "" {
			lines = append(lines, k+" "+brief(meta[k]))
		}
	}
	for _, t := range v.Tables {
		full, from, to := 0, t.Parts[0].From, t.Parts[0].To
		first, last := t.Parts[0].Epoch, t.Parts[len(t.Parts)-1].Epoch
		for _, p := range t.Parts {
			from, to = min(from, p.From), max(to, p.To)
			if p.Full {
				full++
			}
		}
		made := fmt.Sprintf("epochs %d to %d", first, last)
		if first == last {
			made = fmt.Sprintf("epoch %d", last)
		}
		lines = append(lines, fmt.Sprintf("table %s: %s, %d full, %s, %s, groups %d to %d, of %s",
			t.Table, counted(len(t.Parts), "part"), full, counted(t.Entries, "entry"), humanBytes(float64(t.Bytes)), from, to-1, made))
	}
	if v.CommitBytes > 0 {
		lines = append(lines, counted(v.CommitBytes, "byte")+" for its sink to commit")
	}
	if lines == nil {
		return []string{"nothing"}
	}
	return lines
}

// brief prints JSON in one line that is not too long, and a text without its quotes.
func brief(raw json.RawMessage) string {
	const most = 200
	var text string
	if json.Unmarshal(raw, &text) != nil {
		var compact bytes.Buffer
		_ = json.Compact(&compact, raw) // it came out of valid JSON
		text = compact.String()
	}
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return text
}

func newCheckpointDiff(f *flags, of *checkpointFlags, s stdio) *cobra.Command {
	return &cobra.Command{
		Use:   "diff PIPELINE A B | --storage URL --pipeline NAME A B",
		Short: "Compare two checkpoints by vertex",
		Long: `diff tells for each vertex that differs which parts of its state only one of the
checkpoints has, and what of its position, plugin and the like changed. It reads
none of the state.`,
		Example: "  wasmill checkpoint diff pipeline.yaml 41 42",
		RunE: func(c *cobra.Command, a []string) error {
			return of.with(c, f, s, a, 2, 2, func(all *control.Checkpoints, epochs []stream.Epoch) error {
				diff, err := all.Diff(c.Context(), epochs[0], epochs[1])
				if err != nil {
					return err
				}
				if f.json {
					printJSON(s.out, map[string]any{"ok": true, "pipeline": all.Pipeline, "storage": all.Storage, "from": epochs[0], "to": epochs[1], "vertices": diff})
					return nil
				}
				return printDiff(s.out, diff, epochs)
			})
		},
	}
}

func printDiff(out io.Writer, diff []control.CheckpointDifference, epochs []stream.Epoch) error {
	if len(diff) == 0 {
		_, err := fmt.Fprintf(out, "epochs %d and %d hold the same\n", epochs[0], epochs[1])
		return err
	}
	amount := func(a control.DataAmount) string {
		if a.Parts == 0 {
			return "-"
		}
		return fmt.Sprintf("%s, %s", counted(a.Parts, "part"), humanBytes(float64(a.Bytes)))
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "VERTEX\tONLY IN %d\tONLY IN %d\tIN BOTH\tCHANGED\n", epochs[0], epochs[1])
	for _, d := range diff {
		changes := make([]string, 0, len(d.Meta)+1)
		if d.Only != 0 {
			changes = append(changes, fmt.Sprintf("the vertex is in %d only", d.Only))
		}
		for _, m := range d.Meta {
			changes = append(changes, fmt.Sprintf("%s: %s → %s", orWord(m.Key, "meta"), orWord(brief(m.From), "none"), orWord(brief(m.To), "none")))
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", safe(string(d.Vertex)), amount(d.Removed), amount(d.Added), amount(d.Same), safe(orWord(strings.Join(changes, ", "), "-")))
	}
	return w.Flush()
}

func orWord(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// counted prints a number of things, 1 of them in the singular.
func counted(n int, thing string) string {
	if n != 1 {
		if stem, ok := strings.CutSuffix(thing, "y"); ok {
			thing = stem + "ie"
		}
		thing += "s"
	}
	return humanCount(uint64(n)) + " " + thing
}
