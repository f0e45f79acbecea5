package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/wasmill/wasmill/host"
	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/stream"
)

// logger turns what a host observes into log lines.
type logger struct {
	*slog.Logger
	screen    *screen // nil if lines do not go to a terminal
	transfers transfers
}

func newLogger(w io.Writer, c config.Log) *logger {
	levels := map[config.LogLevel]slog.Level{
		config.LogDebug: slog.LevelDebug, config.LogInfo: slog.LevelInfo, config.LogWarn: slog.LevelWarn, config.LogError: slog.LevelError,
	}
	o := &slog.HandlerOptions{Level: levels[c.Level]}
	l := &logger{}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		l.screen = &screen{file: f}
		w = l.screen
	}
	if c.Format == config.LogText || (c.Format == config.LogAuto && l.screen != nil) {
		l.Logger = slog.New(slog.NewTextHandler(w, o))
	} else {
		l.Logger = slog.New(slog.NewJSONHandler(w, o))
	}
	return l
}

// events returns the callbacks for one pipeline.
func (l *logger) events(pipeline string) stream.Events {
	log := l.With("pipeline", pipeline)
	e := stream.Events{
		GuestLog: func(v stream.VertexID, level stream.GuestLevel, text string) {
			levels := [...]slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError}
			log.Log(context.Background(), levels[level], "guest says", "vertex", v, "text", safe(text))
		},
		Unmetered: func(v stream.VertexID, plugin string) {
			log.Warn("metering is off: a loop without end in this plugin stops the whole process", "vertex", v, "plugin", plugin)
		},
		PluginSuspended: func(v stream.VertexID, plugin, why string, wait time.Duration) {
			log.Error("the plugin fails again and again: its calls wait, then one tries it", "vertex", v, "plugin", plugin, "why", safe(why), "wait", wait.String())
		},
		PluginResumed: func(v stream.VertexID, plugin string) {
			log.Info("the plugin works again", "vertex", v, "plugin", plugin)
		},
		Scaled: func(c stream.ScaleChange) {
			log.Info("scaled", "vertex", c.Vertex, "from", c.From, "to", c.To, "reason", c.Reason)
		},
		RequestDenied: func(v stream.VertexID, target, why string) {
			log.Warn("the plugin asks for what it may not: denied", "vertex", v, "target", safe(target), "why", safe(why))
		},
		SourceNotice: func(v stream.VertexID, text string) {
			log.Warn("source notices", "vertex", v, "text", text)
		},
		SideNotice: func(v stream.VertexID, name, text string) {
			log.Warn("side input", "vertex", v, "name", name, "text", text)
		},
	}
	l.checkpoints(pipeline, log, &e)
	configChanges(log, &e)
	return e
}

// safe escapes what could steer a terminal, and bytes that are no text.
func safe(text string) string {
	var s strings.Builder
	for len(text) > 0 {
		r, n := utf8.DecodeRuneInString(text)
		if strconv.IsPrint(r) && (r != utf8.RuneError || n > 1) {
			s.WriteString(text[:n])
		} else {
			q := strconv.Quote(text[:n])
			s.WriteString(q[1 : len(q)-1])
		}
		text = text[n:]
	}
	return s.String()
}

// admin says where to ask for health and metrics.
func (l *logger) admin(a host.Admin) {
	switch {
	case a.URL == "":
	case a.Moved != nil:
		l.Info("admin listens on a free port, as the usual address cannot be had", "url", a.URL, "cause", a.Moved.Error())
	default:
		l.Info("admin listens", "url", a.URL)
	}
	if a.Locked != nil {
		l.Warn("nobody can use the API for want of a token; health, metrics and status are served", "cause", cause(a.Locked))
	}
}

// renewed tells of changes of the files of admin.tls.
func (l *logger) renewed(err error) {
	if err != nil {
		l.Error("the files of admin.tls have changed and cannot be used: those before still are", "cause", cause(err))
		return
	}
	l.Info("the files of admin.tls have changed and are used from now on")
}

func (l *logger) draining(sig os.Signal, grace time.Duration) {
	l.Info("draining: no more is read, what was read goes through; a second signal stops at once", "signal", sig.String(), "grace", grace.String())
}
