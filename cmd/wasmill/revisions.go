package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/control/plan"
	"github.com/wasmill/wasmill/host/control/revision"
	"github.com/wasmill/wasmill/host/stream"
)

func newRevisions(f *flags, s stdio) *cobra.Command {
	var diff bool
	c := &cobra.Command{
		Use:   "revisions PIPELINE [N | --diff A B]",
		Short: "List the configs that were in force of a pipeline, or print or compare them",
		Long: `revisions reads what wasmill run keeps in data.dir: each config of a pipeline that
was accepted, with its number, which goes on over restarts, when that was, where it
came from, and what it took. The newest are kept, as many as revisions.keep says.

  start   it was found when the pipeline began
  file    its file, or a plugin, was seen to change
  api     somebody asked for a look: wasmill reload, or SIGHUP

With a number it prints the file as it was then; --diff tells what changes between
two, as wasmill plan does. No process has to run. A file that is damaged is told on
standard error and passed over.`,
		Example: `  wasmill revisions access-log
  wasmill revisions access-log 7 > pipeline.yaml
  wasmill revisions access-log --diff 6 7`,
		Args: func(c *cobra.Command, a []string) error {
			if diff {
				return args(3, 3, "a pipeline and two of its revisions")(c, a)
			}
			return args(1, 2, "a pipeline, and one of its revisions or none for all")(c, a)
		},
		RunE: func(c *cobra.Command, a []string) error {
			settings, err := host.Settings(f.options(nil, s))
			if err != nil {
				return err
			}
			if _, err := pipelinePath(a[0]); err != nil || strings.Contains(a[0], ".") {
				return &stream.Error{Code: stream.Usage, Where: fmt.Sprintf("%.40q", a[0]), Why: "that is not the name of a pipeline", Fix: "write what is behind name: in its file"}
			}
			l := &revisionLook{c: c, f: f, s: s, name: a[0], store: host.Revisions(settings, a[0])}
			switch len(a) {
			case 1:
				return l.list()
			case 2:
				return l.print(a[1])
			}
			return l.compare(a[1], a[2])
		},
	}
	c.Flags().BoolVar(&diff, "diff", false, "tell what changes between two revisions")
	return c
}

// revisionLook looks at the revisions of a pipeline.
type revisionLook struct {
	c     *cobra.Command
	f     *flags
	s     stdio
	name  string
	store *revision.Store
}

// list prints all that can be read, the newest first.
func (l *revisionLook) list() error {
	all, damaged, err := l.store.List()
	if err != nil {
		return err
	}
	for _, err := range damaged {
		fmt.Fprintf(l.s.err, "passed over: %s\n", safe(cause(err)))
	}
	if len(all) == 0 {
		return &stream.Error{
			Code: stream.RevisionUnknown, Where: l.store.Dir(), Why: fmt.Sprintf("no revision of a pipeline %s is kept there", l.name),
			Fix: "run this in the folder where wasmill run does, or set data.dir as that has it; wasmill status lists the pipelines",
		}
	}
	if l.f.json {
		printJSON(l.s.out, map[string]any{"ok": true, "pipeline": l.name, "revisions": all})
		return nil
	}
	return writeRevisions(l.s.out, all)
}

func writeRevisions(out io.Writer, all []revision.Revision) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "REVISION\tSHA-256\tACCEPTED\tORIGIN\tCLASS")
	for _, r := range all {
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\n", r.Number, shortHash(r.SHA256), r.Time.Format(time.RFC3339), safe(string(r.Origin)), safe(orWord(r.Class, "-")))
	}
	return w.Flush()
}

// print writes the file of one as it was.
func (l *revisionLook) print(number string) error {
	r, err := l.read(number)
	if err != nil {
		return err
	}
	if l.f.json {
		printJSON(l.s.out, map[string]any{"ok": true, "pipeline": l.name, "revision": r, "content": string(r.Content)})
		return nil
	}
	_, err = l.s.out.Write(r.Content)
	return err
}

// compare prints the plan from one to another.
func (l *revisionLook) compare(from, to string) error {
	old, err := l.config(from)
	if err != nil {
		return err
	}
	new, err := l.config(to)
	if err != nil {
		return err
	}
	p := plan.Of(old, new)
	if l.f.json {
		printJSON(l.s.out, map[string]any{"ok": true, "pipeline": l.name, "plan": p})
		return nil
	}
	_, err = fmt.Fprintf(l.s.out, "%s: %s", l.name, p)
	return err
}

func (l *revisionLook) config(number string) (*config.Pipeline, error) {
	r, err := l.read(number)
	if err != nil {
		return nil, err
	}
	return host.ReadRevision("revision "+number, r, l.f.options(nil, l.s))
}

func (l *revisionLook) read(number string) (r revision.Revision, err error) {
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil || n == 0 {
		return r, usageError(l.c, fmt.Sprintf("%.40q is no number of a revision, such as 7", number))
	}
	return l.store.Read(revision.Number(n))
}

// shortHash is as much of a hash as people compare.
func shortHash(hash string) string { return hash[:min(len(hash), 12)] }
