// Package notify tells the service manager that started the process, such as systemd, what
// that does: through the socket that NOTIFY_SOCKET names, as sd_notify(3) has it. The library
// that does so lives here and nowhere else.
//
//	look ──────▶ Run ──▶ STATUS=…, READY=1 once what is waited for has come
//	healthy ───▶  └────▶ WATCHDOG=1, at half of WATCHDOG_USEC
//	Reload ────────────▶ RELOADING=1, READY=1
//	Stopping ──────────▶ STOPPING=1, after which nothing is ready
//
// Run starts one goroutine more for each check of health, one at a time.
//
// Invariants:
//  1. A ping of the watchdog says that a check of health has returned since the one before:
//     a process whose checks hang is silent.
//  2. A manager that does not listen holds nothing up and fails nothing.
//  3. A nil Service, where there is no manager, does nothing.
package notify
