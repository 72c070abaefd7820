//go:build !unix

package web

// writeNow writes nothing: a handle of this system cannot be written without waiting. All that is sent is what is
// left, and goes by the line's own goroutine.
func writeNow(uintptr, []byte) (n int, again bool) { return 0, false }
