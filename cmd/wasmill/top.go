package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/wasmill/wasmill/host/stream"
)

// leastInterval is the shortest time between two looks of top.
const leastInterval = 100 * time.Millisecond

func newTop(f *flags, s stdio) *cobra.Command {
	var at *string
	var once bool
	t := &top{look: statusLook{path: "/api/v1/pipelines"}}
	c := &cobra.Command{
		Use:   "top [PIPELINE]",
		Short: "Watch the pipelines of a process that runs, on the whole screen",
		Long: `top shows what status does, on the whole screen and again and again. IN/S and
OUT/S are over the last interval; QUEUE is how full the inbound edges of a vertex
are; CALLS are those under way, and the most there may be; P50 and P99 are the
time of calls since the start; LAG is how far the watermark is behind the clock;
ERRORS counts dead letters, and records that were dropped or that no edge takes.
Where there is no room for all, some columns are left out.

  q        quit (and Ctrl-C)
  p space  freeze, and go on
  s r      sort by the next column, and the other way round
  ↑ ↓ j k  scroll, also by Page Up and Page Down`,
		Example: `  wasmill top
  wasmill top access-log --interval 250ms
  wasmill top --once`,
		Args: args(0, 1, "one pipeline, or none for all"),
		RunE: func(c *cobra.Command, a []string) error {
			if t.every < leastInterval {
				return usageError(c, fmt.Sprintf("an --interval of %v is too short: use %v or more", t.every, leastInterval))
			}
			if len(a) == 1 {
				path, err := pipelinePath(a[0])
				if err != nil {
					return err
				}
				t.look.one, t.look.path = true, path
			}
			var err error
			var file *os.File
			if !once {
				if t.in, file, err = terminals(c, s, f.json); err != nil {
					return err
				}
			}
			if t.look.client, err = newClient(c, f, s, *at); err != nil {
				return err
			}
			ctx, end := signal.NotifyContext(c.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer end()
			if once {
				return t.once(ctx, s.out)
			}
			return t.run(ctx, file)
		},
	}
	c.Flags().DurationVar(&t.every, "interval", time.Second, "time between two looks")
	c.Flags().BoolVar(&once, "once", false, "print what there is after one interval, and end; needs no terminal")
	at = adminFlag(c)
	return c
}

// terminals returns where keys come from and where the screen is.
func terminals(c *cobra.Command, s stdio, asJSON bool) (in, out *os.File, err error) {
	in, okIn := s.in.(*os.File)
	out, okOut := s.out.(*os.File)
	if !okIn || !okOut || asJSON || !term.IsTerminal(int(in.Fd())) || !term.IsTerminal(int(out.Fd())) {
		return nil, nil, &stream.Error{
			Code: stream.Usage, Where: c.CommandPath(), Why: "it needs a terminal, for its input and its output, and prints no JSON",
			Fix: "use wasmill status --watch, which also takes --json, or wasmill top --once for one look",
		}
	}
	return in, out, nil
}

// top looks at a process and shows it.
type top struct {
	look  statusLook
	every time.Duration
	in    *os.File // keys

	before map[string]topRate // records in and out at the last look
	last   time.Time          // when that was
}

// looked is the outcome of a look.
type looked struct {
	at        time.Time
	pipelines []seenPipeline
	rates     map[string]topRate
	err       error
}

// ask looks at the process. Rates are since the last time.
func (t *top) ask(ctx context.Context) looked {
	got := looked{rates: map[string]topRate{}}
	got.err = look(ctx, &t.look, &got.pipelines)
	if got.at = time.Now(); got.err != nil {
		return got
	}
	before, span := t.before, got.at.Sub(t.last).Seconds()
	t.before, t.last = map[string]topRate{}, got.at
	for _, p := range got.pipelines {
		for i := range p.Vertices {
			v := &p.Vertices[i]
			key := p.Pipeline + "/" + string(v.Vertex)
			now := topRate{float64(v.RecordsIn), float64(v.RecordsOut)}
			t.before[key] = now
			if was, ok := before[key]; ok && was.in <= now.in && was.out <= now.out && span > 0 {
				got.rates[key] = topRate{(now.in - was.in) / span, (now.out - was.out) / span}
			}
		}
	}
	return got
}

// show makes a view one of what was seen, unless it is frozen.
func (v *topView) show(got looked) {
	switch {
	case v.frozen:
	case got.err != nil:
		why, _, _ := strings.Cut(got.err.Error(), "\n")
		v.problem = "NOT NEW: " + why
	default:
		v.at, v.pipelines, v.rates, v.problem = got.at, got.pipelines, got.rates, ""
	}
}

// once prints what there is after an interval.
func (t *top) once(ctx context.Context, w io.Writer) error {
	var v topView
	for first := true; ; first = false {
		got := t.ask(ctx)
		if got.err != nil {
			return got.err
		}
		if v.show(got); !first {
			break
		}
		select {
		case <-time.After(t.every):
		case <-ctx.Done():
			return nil
		}
	}
	width := 120
	if file, ok := w.(*os.File); ok {
		if columns, _, err := term.GetSize(int(file.Fd())); err == nil {
			width = columns
		}
	}
	_, err := io.WriteString(w, strings.Join(v.frame(width, 0), "\n")+"\n")
	return err
}
