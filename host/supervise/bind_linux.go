package supervise

import (
	"os/exec"
	"syscall"
)

// bind has a worker get SIGTERM when the thread that starts it is gone.
func bind(c *exec.Cmd) {
	if c.SysProcAttr == nil {
		c.SysProcAttr = &syscall.SysProcAttr{}
	}
	c.SysProcAttr.Pdeathsig = syscall.SIGTERM
}
