package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/roomwatch/roomwatch/store"
)

type backupCommand struct {
	Store string `default:"file:roomwatch.db" help:"The record to copy: file:PATH. A serve may go on beside."`
	File  string `arg:"" help:"Where to put the copy. It must not exist."`
}

// Run copies the record as it is at one moment, whole and consistent, while a serve goes on.
func (cmd *backupCommand) Run() error {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	if path, isFile := strings.CutPrefix(cmd.Store, "file:"); isFile {
		if err := there(path, "record"); err != nil {
			return err
		}
	}
	if err := store.Backup(ctx, cmd.Store, cmd.File); err != nil {
		return err
	}
	info, err := os.Stat(cmd.File)
	if err != nil {
		return err
	}
	fmt.Printf("%s holds the record, %d bytes. To go back to it, stop serve and start it with --store file:%s\n", cmd.File, info.Size(), cmd.File)
	return nil
}
