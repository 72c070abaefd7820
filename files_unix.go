//go:build unix

package main

import (
	"math"
	"syscall"
)

// openFiles is how many files and connections this process may have open. Go's runtime has raised the limit to what
// the system lets it be.
func openFiles() int {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return 0
	}
	return int(min(uint64(limit.Cur), math.MaxInt32)) // no limit is a very large one
}
