package admin

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// one is a Control with a pipeline p, whose reload takes a while.
type one struct{ takes time.Duration }

func (one) Pipelines() []Pipeline                                { return []Pipeline{{Name: "p"}, {Name: "q"}} }
func (one) Ready(string) any                                     { return nil }
func (one) SetPhase(context.Context, string, Phase) (any, error) { return nil, nil }
func (one) Checkpoint(context.Context, string) error             { return nil }
func (o one) Reload(ctx context.Context) (answer any, err error) {
	select {
	case <-time.After(o.takes):
		return "reloaded", nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

const headers = " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer 0123456789abcdefghij\r\n\r\n"

// following connects to a server and asks for a path. It returns a reader of the body.
func following(t *testing.T, path string) (events *Events, client net.Conn, body *bufio.Reader, gone chan bool, cancel func(), ended chan error) {
	t.Helper()
	events = &Events{}
	client, gone, cancel, ended = connected(Config{Token: "0123456789abcdefghij", Control: one{}, Events: events})
	if _, err := io.WriteString(client, "GET "+path+headers); err != nil {
		t.Fatal(err)
	}
	r, err := http.ReadResponse(bufio.NewReaderSize(client, 16), nil)
	if err != nil || r.StatusCode != 200 || r.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("got %+v, %v", r, err)
	}
	body = bufio.NewReaderSize(r.Body, 16)
	if got := next(t, body); got != ": events" {
		t.Fatalf("it begins with %q", got)
	}
	return events, client, body, gone, cancel, ended
}

// next reads what is before the next empty line.
func next(t *testing.T, body *bufio.Reader) string {
	t.Helper()
	var lines []string
	for {
		line, err := body.ReadString('\n')
		if err != nil {
			t.Fatalf("%q, then %v", lines, err)
		}
		if line == "\n" {
			return strings.Join(lines, "|")
		}
		lines = append(lines, strings.TrimSuffix(line, "\n"))
	}
}

func TestEventsAreFollowed(t *testing.T) {
	for path, want := range map[string][]string{
		"/api/v1/events":             {"first", "second", "third"},
		"/api/v1/pipelines/p/events": {"first", "third"},
	} {
		synctest.Test(t, func(t *testing.T) {
			events, _, body, _, cancel, ended := following(t, path)
			go func() {
				events.Tell("p", "first", "vertex", "v", "text", "a\nb")
				events.Tell("q", "second")
				for range 4 {
					time.Sleep(patience) // past every timeout of a request
					events.Tell("p", "third")
				}
			}()
			for i, event := range append(want, "third", "third", "third") {
				got := next(t, body)
				for got == ": alive" {
					got = next(t, body)
				}
				if !strings.HasPrefix(got, "event: "+event+`|data: {"event":"`+event+`",`) || strings.Contains(got, "\n") {
					t.Errorf("%s: %d is %q, want %s", path, i, got, event)
				}
				if event == "first" && !strings.Contains(got, `"pipeline":"p","text":"a\nb","time":"2000-01-01T00:00:00Z","vertex":"v"`) {
					t.Errorf("got %q", got)
				}
			}
			events.Tell("p", "last")
			cancel()
			if got := next(t, body); !strings.HasPrefix(got, "event: last|") {
				t.Errorf("before the end is %q", got)
			}
			if rest, err := io.ReadAll(body); err != nil || len(rest) > 0 {
				t.Errorf("after the end is %q, %v", rest, err)
			}
			if err := <-ended; err != nil {
				t.Error(err)
			}
			if events.heard.Load() {
				t.Error("somebody still listens")
			}
		})
	}
}

func TestAnIdleListenerGetsSignsOfLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, body, _, cancel, ended := following(t, "/api/v1/events")
		began := time.Now()
		for range 8 {
			if got := next(t, body); got != ": alive" {
				t.Errorf("got %q", got)
			}
		}
		if took := time.Since(began); took != 8*heartbeat {
			t.Errorf("it took %v", took)
		}
		cancel()
		<-ended
	})
}

// TestASlowListenerLosesEventsAndIsToldHowMany lets far more happen than a listener
// takes, and then counts what it gets.
func TestASlowListenerLosesEventsAndIsToldHowMany(t *testing.T) {
	for name, text := range map[string]string{"many": "", "large": strings.Repeat("x", maxWaiting/10)} {
		synctest.Test(t, func(t *testing.T) {
			events, _, body, _, cancel, ended := following(t, "/api/v1/events")
			const all = 5 * maxEvents
			for i := range all {
				events.Tell("p", "e", "i", i, "text", text[:i%2*len(text)]) // every other one is small
			}
			synctest.Wait()
			if l := events.listeners[0]; len(l.waiting) > maxEvents || l.bytes > maxWaiting || l.lost == 0 {
				t.Errorf("%s: %d events of %d bytes wait, %d are lost", name, len(l.waiting), l.bytes, l.lost)
			}
			i, lost := 0, 0
			for i < all {
				got := next(t, body)
				var n int
				if _, err := fmt.Sscanf(got, `event: lost|data: {"event":"lost","events":%d}`, &n); err == nil {
					lost += n
					i += n
				} else if strings.Contains(got, fmt.Sprintf(`"i":%d,`, i)) {
					i++
				} else {
					t.Fatalf("%s: instead of %d comes %.60q", name, i, got)
				}
			}
			if i != all || lost == 0 {
				t.Errorf("%s: %d came or were lost, %d of them lost", name, i, lost)
			}
			events.Tell("p", "after")
			if got := next(t, body); !strings.HasPrefix(got, "event: after|") {
				t.Errorf("%s: after the loss comes %q", name, got)
			}
			cancel()
			<-ended
		})
	}
}

func TestAListenerThatReadsNothingIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		events, _, _, gone, cancel, ended := following(t, "/api/v1/events")
		began := time.Now()
		events.Tell("p", "e")
		<-gone
		if took := time.Since(began); took != patience {
			t.Errorf("it was cut off after %v", took)
		}
		synctest.Wait()
		if events.heard.Load() {
			t.Error("it still listens")
		}
		cancel()
		<-ended
	})
}

func TestTheEndDoesNotWaitForAListenerThatReadsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		events, _, _, _, cancel, ended := following(t, "/api/v1/events")
		events.Tell("p", "e")
		synctest.Wait()
		began := time.Now()
		cancel()
		if err := <-ended; err != nil || time.Since(began) > 2*shutTimeout {
			t.Errorf("the server ended %v later: %v", time.Since(began), err)
		}
	})
}

func TestAListenerThatGoesIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		events, client, _, _, cancel, ended := following(t, "/api/v1/events")
		if err := client.Close(); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if events.heard.Load() {
			t.Error("it still listens")
		}
		cancel()
		<-ended
	})
}

func TestListenersAreBounded(t *testing.T) {
	var events Events
	var all []*listener
	for range maxListeners {
		l, err := events.listen("")
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	if _, err := events.listen(""); err == nil {
		t.Error("there is one more")
	}
	events.leave(all[3])
	if _, err := events.listen(""); err != nil {
		t.Error(err)
	}
}

// TestWhatTakesLongIsNotCutOff reloads for longer than a request may take otherwise.
func TestWhatTakesLongIsNotCutOff(t *testing.T) {
	for takes, want := range map[time.Duration]bool{10 * requestTimeout: true, longTimeout + time.Minute: false} {
		synctest.Test(t, func(t *testing.T) {
			client, _, cancel, ended := connected(Config{Token: "0123456789abcdefghij", Control: one{takes}})
			if _, err := io.WriteString(client, "POST /api/v1/reload"+headers); err != nil {
				t.Fatal(err)
			}
			r, err := http.ReadResponse(bufio.NewReader(client), nil)
			if got := err == nil && r.StatusCode == 200; got != want {
				t.Errorf("after %v: %+v, %v", takes, r, err)
			}
			_ = client.Close()
			cancel()
			<-ended
		})
	}
}

func TestABodyThatDoesNotComeEndsTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _, cancel, ended := connected(Config{Token: "0123456789abcdefghij", Control: one{}})
		head := strings.TrimSuffix(headers, "\r\n") + "Content-Length: 9\r\n\r\n{"
		if _, err := io.WriteString(client, "POST /api/v1/reload"+head); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if r, err := http.ReadResponse(bufio.NewReader(client), nil); err == nil && r.StatusCode != http.StatusRequestTimeout {
			t.Errorf("got %+v", r)
		}
		if took := time.Since(began); took > requestTimeout+time.Second {
			t.Errorf("it took %v", took)
		}
		_ = client.Close()
		cancel()
		<-ended
	})
}
