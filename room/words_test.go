package room_test

import (
	"testing"

	"github.com/roomwatch/roomwatch/room"
)

func TestEveryWordMustBeginAWordOfTheNameTheRoomOrSomebodyThere(t *testing.T) {
	s := merged([][]room.Event{{
		event(room.KindRoomCreated, 1, func(e *room.Event) { e.Title = "Weekly ops — été" }),
		event(room.KindParticipantJoined, 2, who("PA_1", "u-1001", 2), named("Ana Díaz", "")),
		event(room.KindTrackPublished, 3, who("PA_2", "u-2002", 0), named("Bob", ""), track("TR_1", "camera")),
	}})
	for text, found := range map[string]bool{
		"": true, "week": true, "OPS weekly": true, "été": true, "room01": true, "ana": true, "día weekly": true, "1001": true, "u-1001": true,
		"2002": true, "bo": true, "eekly": false, "ana carl": false, "room02": false, "--": true,
	} {
		if got := s.Mentions(room.ParseWords(text), s.Detail().Head); got != found {
			t.Errorf("%q: %v", text, got)
		}
	}
	if many := room.ParseWords("a b c d e f g h i j"); len(many) != 8 {
		t.Errorf("%d words", len(many))
	}
}

func TestSomebodyKnownByATrackAloneHasItsName(t *testing.T) {
	published := event(room.KindTrackPublished, 3, who("PA_2", "u2", 0), named("Bob", ""), track("TR_1", "camera"))
	if p := participant(t, of(t, published), "u2"); p.Name != "Bob" {
		t.Errorf("%+v", p)
	}
	joined := event(room.KindParticipantJoined, 2, who("PA_2", "u2", 2), named("Robert", ""))
	if p := participant(t, of(t, joined, published), "u2"); p.Name != "Bob" {
		t.Errorf("the last word does not count: %+v", p)
	}
}
