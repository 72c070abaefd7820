//go:build !linux

// The bench measures with what Linux alone has: epoll, timers that are files, the CPU clock of another process.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "bench: it measures on Linux only")
	os.Exit(1)
}
