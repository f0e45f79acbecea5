// Service knows customers, and takes its time: most answers come after a few
// milliseconds, one in ten after up to 200, one in a hundred after 2 s.
package main

import (
	"context"
	"flag"
	"fmt"
	"hash/fnv"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8090", "address to listen on; port 0 = a free one")
	flag.Parse()
	if err := serve(*listen); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(address string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	fmt.Printf("http://%s/customers/\n", l.Addr())
	s := &http.Server{Handler: handler()}
	context.AfterFunc(ctx, func() { s.Close() })
	if err := s.Serve(l); err != http.ErrServerClosed {
		return err
	}
	return nil
}

func handler() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /customers/{id}", func(w http.ResponseWriter, r *http.Request) {
		id := r.PathValue("id")
		h := fnv.New32a()
		h.Write([]byte(id))
		n := h.Sum32()
		select {
		case <-time.After(latency(n)):
		case <-r.Context().Done():
			return
		}
		if n%50 == 7 {
			http.Error(w, "no such customer", http.StatusNotFound)
			return
		}
		countries := [...]string{"AT", "BR", "CH", "DE", "IN", "JP", "KE", "US"}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"id":%q,"country":%q,"score":%d}`, id, countries[n%8], n%1000)
	})
	return m
}

// latency is the same each time for a customer.
func latency(n uint32) time.Duration {
	switch n % 100 {
	case 0:
		return 2 * time.Second
	case 1, 2, 3, 4, 5, 6, 7, 8, 9:
		return time.Duration(20+n/100%180) * time.Millisecond
	}
	return time.Duration(1+n/100%5) * time.Millisecond
}
