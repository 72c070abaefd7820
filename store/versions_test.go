package store

import (
	"fmt"
	"testing"

	"github.com/roomwatch/roomwatch/room"
)

// A save that need not read what is stored must lose nothing of it, whoever wrote that, and however often
// sessions are saved, loaded and saved by others in between.
func TestASaveThatDoesNotReadLosesNothing(t *testing.T) {
	s := openAt(t, "memory:")
	key := room.Key{Source: "default", SID: "s1"}
	facts := func(name string) []room.Event {
		return []room.Event{joined("s1", "PA_"+name, name, name, noon)}
	}
	mine := session(facts("ana")...)
	other := session(facts("bo")...)
	people := 0
	check := func(what string, want int) {
		t.Helper()
		loaded, err := s.Load(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		if people = len(loaded.Detail().Participants); people != want {
			t.Fatalf("%s: %d people are stored, want %d", what, people, want)
		}
	}
	mustSave(t, s, "", mine)
	check("saved", 1)
	if !s.versions.current(mine) {
		t.Error("what was just saved has to be read again")
	}
	mustSave(t, s, "", other)
	check("saved by another", 2)
	if s.versions.current(mine) || s.versions.current(other) {
		t.Error("a session that may lack facts of its document passes for whole")
	}
	mine.Apply(facts("cem")[0])
	mustSave(t, s, "", mine)
	check("saved by the first again", 3)
	loaded, err := s.Load(t.Context(), key)
	if err != nil || !s.versions.current(loaded) {
		t.Fatalf("what was loaded has to be read again: %v", err)
	}
	for n := range 5 {
		loaded.Apply(facts(fmt.Sprint("dora", n))[0])
		mustSave(t, s, "", loaded.Clone(), session(facts(fmt.Sprint("twice", n))...))
		check("saved with another at once", 5+2*n)
	}
}
