// Package admin is what operators talk to: an HTTP listener with the health and the
// metrics of the process, and an API that shows and changes its pipelines. The library
// that writes the metrics of the Go runtime and of the process lives here and nowhere
// else.
//
//	scraper, probe ──▶ Server ──▶ /healthz   the process is up
//	                     │        /readyz    Config.Ready
//	                     │        /status    Config.Status, as JSON
//	                     ├──────▶ /metrics ──▶ Metrics ──▶ collect(Writer) … one per generation
//	operator, token ───▶ ├──────▶ /api/v1 ───▶ Control       what there is, and changes of it
//	                     │           ├───────▶ Tapper        records as they pass
//	                     │           └───────▶ Events ◀── Observe ◀── stream.Events of pipelines
//	                     └──────▶ /debug/pprof
//
// One table, in routes.go, says what can be asked for: requests are matched with it, and
// the OpenAPI document is made of it. What a metric means stands once, in the table of
// names.go. Nothing is counted here: at each scrape, what is attached writes the counters
// it keeps anyway, so a metric costs nothing while nobody asks, and a generation that is
// detached leaves nothing behind.
//
// Goroutines: Run serves until its context ends and returns after the last request, or a
// second later. Collectors are called on the goroutine of a request, one at a time. An
// event is passed on by the goroutine where it happens, which waits for nobody.
//
// # Who may ask
//
// The Server listens on loopback addresses alone, where every user of this machine can
// connect, or on a socket, where only the user of the process can. What only reads and
// tells nothing but counts, as probes and scrapers need it, is for whoever can connect.
// The rest needs the token, which a file has for the user of the process; on a socket it
// needs none. Over TLS the token is needed too; a peer that has to show a
// certificate and has none cannot ask anything. Peers find out by Proof whether who listens
// knows the token, before they send it. A browser on this machine also runs the scripts of others; they are kept
// out by the two headers that they cannot forge: a Host that is not a loopback address (a
// name that was rebound to one) and an Origin other than the Server's own are refused.
//
// Invariants
//
//  1. The Server is reached through loopback addresses or its socket only.
//  2. Without the token nothing changes by a request, whatever its method, path, headers
//     and body, and nothing below /api and /debug is told, not even what there is.
//  3. The lines of a family stand together below its one HELP and TYPE, however
//     many generations write to it; no text in a label value breaks a line.
//  4. After detach returns, its collector is not running and is not called again.
//  5. Who listens to events gets them in their order, and is told of each gap where it is
//     and how many are missing. What waits for listeners is bounded.
//  6. The token is in no log, error, answer and address, and so is the key of TLS.
//  7. With TLS nothing is answered without it. The files are as they were last when they
//     could be used, at the time of the connection.
//  8. Who taps a pipeline gets a sample and is told how many records it lacks. A tap
//     ends with its request, at the latest a minute after the peer has stopped to read.
package admin
