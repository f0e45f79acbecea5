package admin

import (
	"fmt"
	"net/http"
	"time"
)

const (
	heartbeat = 15 * time.Second // between signs of life while nothing happens
	patience  = time.Minute      // with a listener that reads nothing, before it is cut off
)

// follow writes events as they happen, as server-sent events:
// https://html.spec.whatwg.org/multipage/server-sent-events.html
// It ends with the server, or when the peer is gone.
func (s *Server) follow(q *request) error {
	l, err := s.events.listen(q.pipeline)
	if err != nil {
		return err
	}
	defer s.events.leave(l)
	w := &feed{ResponseWriter: q.w, control: http.NewResponseController(q.w)}
	q.w.Header().Set("Content-Type", "text/event-stream")
	q.w.WriteHeader(http.StatusOK)
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	w.send([]byte(": events\n\n"))
	for w.err == nil {
		select {
		case <-l.wake:
			waiting, lost, ended := s.events.take(l)
			w.send(waiting...)
			if lost > 0 {
				w.send(fmt.Appendf(nil, "event: lost\ndata: {\"event\":\"lost\",\"events\":%d}\n\n", lost))
			}
			if ended {
				return nil
			}
		case <-beat.C:
			w.send([]byte(": alive\n\n"))
		case <-q.r.Context().Done():
			return nil
		}
	}
	return nil // the peer is gone, or does not read
}

// feed writes until an error.
type feed struct {
	http.ResponseWriter
	control *http.ResponseController
	err     error
}

// send writes texts and waits until they are on their way.
func (f *feed) send(texts ...[]byte) {
	for _, text := range texts {
		if f.err != nil {
			return
		}
		if f.err = f.control.SetWriteDeadline(time.Now().Add(patience)); f.err == nil {
			_, f.err = f.Write(text)
		}
	}
	if f.err == nil {
		f.err = f.control.Flush()
	}
}
