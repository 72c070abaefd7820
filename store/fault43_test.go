package store

import (
	"context"
	"errors"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/access"
	"github.com/roomwatch/roomwatch/room"
)

// Row 43 of the faults: while searches have every connection that lists may have, people come in, and deliveries are
// stored, folded and saved.
func TestFault43ListsHoldUpNeitherAccountsNorTheBoard(t *testing.T) {
	s := openAt(t, "file:"+filepath.Join(t.TempDir(), "r.db"))
	for range readers {
		search, err := s.reads.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer search.Close()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second) // is reached only by what hangs
	defer cancel()
	ana := access.User{Key: access.LocalKey("ana"), Name: "ana", Role: access.Viewer, CreatedAt: time.Now()}
	login := access.NewLogin(access.HashOf("ana's token"), ana, "", "", time.Now())
	accounts := s.Accounts()
	steps := []struct {
		what string
		do   func() error
	}{
		{"a user is added", func() error { return accounts.AddUser(ctx, ana, false) }},
		{"a login begins", func() error { return accounts.AddLogin(ctx, login) }},
		{"the login is known", func() error { _, _, err := accounts.Login(ctx, login.Hash); return err }},
		{"the version is read", func() error { _, err := accounts.Version(ctx); return err }},
		{"a delivery is stored", func() error { _, err := s.Append(ctx, entry(1)); return err }},
		{"its session is saved", func() error {
			return s.Save(ctx, []*room.Session{room.New(room.Key{Source: "default", SID: "s"})}, "1")
		}},
		{"it is read back", func() error {
			_, err := s.Load(ctx, room.Key{Source: "default", SID: "s"})
			return err
		}},
		{"siblings are read", func() error { _, err := s.Siblings(ctx, "default", "r"); return err }},
		{"the end is read", func() error { _, err := s.End(ctx); return err }},
		{"entries are followed from the first", func() error {
			followed, stop := context.WithCancel(ctx)
			defer stop()
			_ = s.Follow(followed, "", func([]room.Delivery) error { stop(); return nil })
			return ctx.Err()
		}},
	}
	for _, step := range steps {
		if err := step.do(); err != nil {
			t.Errorf("%s: %v", step.what, err)
		}
	}
}

// Searches take all of a processor; one is left for everything else, and lists that search nothing do not wait.
func TestFault43SearchesLeaveAProcessor(t *testing.T) {
	s := openAt(t, "file:"+filepath.Join(t.TempDir(), "r.db"))
	for range max(1, runtime.GOMAXPROCS(0)-1) {
		done, err := s.searching(t.Context(), "slow")
		if err != nil {
			t.Fatal(err)
		}
		defer done()
	}
	if _, err := s.Sessions(t.Context(), room.SessionQuery{}); err != nil {
		t.Error("a list:", err)
	}
	over, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.Sessions(over, room.SessionQuery{Text: "slow"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("one search more: %v", err)
	}
}
