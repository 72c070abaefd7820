package live

import (
	"testing"

	"github.com/roomwatch/roomwatch/room"
)

// A view is asked again only for news of what it shows: a room's page asks the record three questions, and
// must not do so for what goes on elsewhere.
func TestNewsAreForTheViewsThatShowThem(t *testing.T) {
	mine, other := room.Key{SID: "mine"}, room.Key{SID: "other"}
	views := map[string]Question{
		"overview":   {Name: viewOverview, List: RoomQuery{}},
		"my room":    {Name: viewRoom, Key: mine},
		"a list":     {Name: ViewSessions, List: room.SessionQuery{}},
		"deliveries": {Name: ViewIntake, List: room.DeliveryQuery{}},
	}
	all := []string{"overview", "my room", "a list", "deliveries"}
	for what, c := range map[string]struct {
		news news
		want []string
	}{
		"nothing":            {news{}, nil},
		"my room changes":    {news{sessions: map[room.Key]struct{}{mine: {}}}, []string{"overview", "my room"}},
		"another changes":    {news{sessions: map[room.Key]struct{}{other: {}}}, []string{"overview"}},
		"lists are saved":    {news{filed: true}, []string{"a list", "deliveries"}},
		"the rail is read":   {news{rail: true}, []string{"overview"}},
		"what bars tell":     {news{bars: true}, all},
		"a save, and my own": {news{filed: true, sessions: map[room.Key]struct{}{mine: {}}}, all},
	} {
		want := make(map[string]bool)
		for _, name := range c.want {
			want[name] = true
		}
		for name, q := range views {
			if got := c.news.concerns(q); got != want[name] {
				t.Errorf("%s: it concerns %s: %v, want %v", what, name, got, want[name])
			}
		}
	}
}
