//go:build !linux

package supervise

import "os/exec"

// bind does nothing where the system does not tell a process that its parent is gone.
func bind(*exec.Cmd) {}
