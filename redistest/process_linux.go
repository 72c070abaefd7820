package redistest

import "syscall"

// endsWithUs: a test that is killed cleans nothing up.
func endsWithUs() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
