package stdio

import "io"

// pumpBytes is the size of a chunk: a pipe of Linux holds as much.
const pumpBytes = 64 << 10

// chunk is what one read gave. An error ends the input.
type chunk struct {
	data []byte
	err  error
}

// pump reads chunks from a reader.
type pump struct {
	in    io.Reader
	full  chan chunk    // closed by run
	empty chan []byte   // buffers to read into
	done  chan struct{} // closed by stop
}

func newPump(in io.Reader) *pump {
	p := &pump{in: in, full: make(chan chunk), empty: make(chan []byte, 2), done: make(chan struct{})}
	for range cap(p.empty) {
		p.empty <- make([]byte, pumpBytes)
	}
	return p
}

// run reads until the input ends or stop is called.
func (p *pump) run() {
	defer close(p.full)
	for {
		select {
		case buf := <-p.empty:
			n, err := p.in.Read(buf)
			select {
			case p.full <- chunk{buf[:n], err}:
			case <-p.done:
				return
			}
			if err != nil {
				return
			}
		case <-p.done:
			return
		}
	}
}

func (p *pump) stop() { close(p.done) }
