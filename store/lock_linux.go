package store

import (
	"errors"
	"os"
	"syscall"
)

// lock holds a file for as long as it is open, in whichever process: false when somebody else does. It is apart from
// SQLite's own locks, and lies on the file itself: whoever removes the .lock file does not let a second serve in.
func lock(file *os.File) (bool, error) {
	err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}
