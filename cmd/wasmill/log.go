package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"strconv"

	"golang.org/x/term"

	"github.com/wasmill/wasmill/host/config"
	"github.com/wasmill/wasmill/host/stream"
)

// logger turns what a host observes into log lines.
type logger struct {
	*slog.Logger
	screen *screen // nil if lines do not go to a terminal
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
	return stream.Events{
		GuestLog: func(v stream.VertexID, level stream.GuestLevel, text string) {
			levels := [...]slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError}
			log.Log(context.Background(), levels[level], "guest says", "vertex", v, "text", safe(text))
		},
		Unmetered: func(v stream.VertexID, plugin string) {
			log.Warn("metering is off: a loop without end in this plugin stops the whole process", "vertex", v, "plugin", plugin)
		},
		SourceNotice: func(v stream.VertexID, text string) {
			log.Warn("source notices", "vertex", v, "text", text)
		},
	}
}

// safe escapes what could steer a terminal.
func safe(text string) string {
	q := strconv.Quote(text)
	return q[1 : len(q)-1]
}

func (l *logger) draining(sig os.Signal) {
	l.Info("draining: no more is read, what was read goes through; a second signal stops at once", "signal", sig.String())
}
