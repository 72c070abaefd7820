//go:build unix

package web

import "syscall"

// writeNow writes what the system takes at once. It says how many bytes that was, and whether the call was only
// interrupted and is to be made again.
func writeNow(fd uintptr, data []byte) (n int, again bool) {
	n, err := syscall.Write(int(fd), data)
	return max(n, 0), err == syscall.EINTR
}
