package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// Sequences of https://invisible-island.net/xterm/ctlseqs/ctlseqs.html: to the alternate
// screen, without a cursor and without lines that wrap; and back.
const (
	enterScreen = "\x1b[?1049h\x1b[?25l\x1b[?7l"
	leaveScreen = "\x1b[?7h\x1b[?25h\x1b[?1049l"
)

// resizeEvery is how often the size of the terminal is looked at.
const resizeEvery = 200 * time.Millisecond

// run shows a process until q or the end of ctx. The terminal is then as it was.
func (t *top) run(ctx context.Context, screen *os.File) (err error) {
	first := t.ask(ctx)
	if first.err != nil {
		return first.err
	}
	before, err := term.MakeRaw(int(t.in.Fd()))
	if err != nil {
		return fmt.Errorf("set the terminal up: %w", err)
	}
	defer func() {
		_, _ = io.WriteString(screen, leaveScreen)
		if back := term.Restore(int(t.in.Fd()), before); err == nil && back != nil {
			err = fmt.Errorf("set the terminal back: %w", back)
		}
	}()
	if _, err := io.WriteString(screen, enterScreen); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	seen, typed := make(chan looked), make(chan []byte)
	go t.keepLooking(ctx, seen)
	go t.keepReading(ctx, typed)
	return t.loop(ctx, screen, first, seen, typed)
}

// loop draws whenever something has changed.
func (t *top) loop(ctx context.Context, screen *os.File, first looked, seen <-chan looked, typed <-chan []byte) error {
	resize := time.NewTicker(resizeEvery)
	defer resize.Stop()
	var v topView
	v.show(first)
	width, height := sizeOf(screen)
	for {
		if err := draw(screen, v.frame(width, height)); err != nil {
			return err
		}
		for changed := false; !changed; {
			select {
			case got := <-seen:
				v.show(got)
				changed = !v.frozen
			case keys, ok := <-typed:
				if !ok || v.press(keys) {
					return nil
				}
				changed = true
			case <-resize.C:
				w, h := sizeOf(screen)
				changed = w != width || h != height
				width, height = w, h
			case <-ctx.Done():
				return nil
			}
		}
	}
}

// keepLooking looks at the process every interval.
func (t *top) keepLooking(ctx context.Context, to chan<- looked) {
	tick := time.NewTicker(t.every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		select {
		case to <- t.ask(ctx):
		case <-ctx.Done():
			return
		}
	}
}

// keepReading passes on what is typed. It ends with the process, or the terminal.
func (t *top) keepReading(ctx context.Context, to chan<- []byte) {
	defer close(to)
	buf := make([]byte, 256)
	for {
		n, err := t.in.Read(buf)
		if err != nil {
			return
		}
		select {
		case to <- append([]byte(nil), buf[:n]...):
		case <-ctx.Done():
			return
		}
	}
}

// sizeOf is the size of a terminal.
func sizeOf(screen *os.File) (width, height int) {
	width, height, err := term.GetSize(int(screen.Fd()))
	if err != nil || width < 1 || height < 1 {
		return 80, 24
	}
	return width, height
}

// draw writes a frame over the one before.
func draw(screen io.Writer, lines []string) error {
	_, err := io.WriteString(screen, "\x1b[H"+strings.Join(lines, "\x1b[K\r\n")+"\x1b[K\x1b[J")
	return err
}
