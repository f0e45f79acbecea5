package minio

import (
	"os/exec"
	"syscall"
)

// tie lets the child end with the thread that starts it.
func tie(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
