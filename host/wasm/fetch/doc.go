// Package fetch makes the HTTP requests of guests, which are not trusted with the
// network: a Client asks those that its policy lists, and nobody else.
//
//	Request ─▶ well-formed? ─▶ host listed? ─▶ look-up ─▶ address allowed? ─▶ dial
//	            Invalid         Denied                     Denied
//
// The address is checked where it is dialled, so that a name cannot be looked up
// twice with different answers. It starts no goroutine but those of net/http.
//
// Invariants
//
//  1. A connection goes to a public address, or to one that is listed with its port.
//  2. A request goes to a host, scheme and port that is listed; redirects are answers.
//  3. Proxies, cookies, credentials and names of the environment are not used, but
//     for the system's resolver and certificates.
//  4. An answer has at most as many bytes as the policy says, and nothing unpacks it.
//  5. Every denial is reported.
package fetch
