// Package admin is what operators talk to: an HTTP listener with the health and
// the metrics of the process. The library that writes the metrics of the Go
// runtime and of the process lives here and nowhere else.
//
//	scraper, probe ──▶ Server ──▶ /healthz   the process is up
//	                     │        /readyz    Config.Ready
//	                     │        /status    Config.Status, as JSON
//	                     └──────▶ /metrics ──▶ Metrics ──▶ collect(Writer) … one per generation
//
// What a metric means stands once, in the table of names.go. Nothing is counted
// here: at each scrape, what is attached writes the counters it keeps anyway, so
// a metric costs nothing while nobody asks, and a generation that is detached
// leaves nothing behind.
//
// Goroutines: Run serves until its context ends and returns after the last
// request, or a second later. Collectors are called on the goroutine of a
// request, one at a time.
//
// # Who may ask
//
// There is no token: whoever can connect may read. So the Server listens on
// loopback addresses alone, where that is every user of this machine. A browser
// on this machine also runs the scripts of others; they are kept out by the two
// headers that they cannot forge: a Host that is not a loopback address (a name
// that was rebound to one) and an Origin other than the Server's own are refused.
// All requests only read.
//
// Invariants
//
//  1. The Server is reached through loopback addresses only.
//  2. Nothing changes by a request, whatever its method, path, headers and body.
//  3. The lines of a family stand together below its one HELP and TYPE, however
//     many generations write to it; no text in a label value breaks a line.
//  4. After detach returns, its collector is not running and is not called again.
package admin
