package views

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/static"
)

// wordsOf is what a reader sees of a piece of HTML, without the ages that the browser writes.
func wordsOf(t *testing.T, source []byte) string {
	t.Helper()
	var out strings.Builder
	for d := range fragment(t, source).Descendants() {
		if d.Type == html.TextNode {
			out.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(out.String()), " ")
}

func TestEveryConcernHasWords(t *testing.T) {
	sprite, _ := static.Open("icons.svg")
	a := room.Alarm{Source: "emea-2", SID: "s1", RoomID: "room01", Title: "Weekly ops", RecordID: "rec", Since: noon, Limit: 15 * time.Minute, Recorder: "node_02", Message: "exit status 1", Count: 38}
	const at = "2026-11-24 12:00:00 UTC"
	for concern, want := range map[room.Concern]string{
		room.ConcernStreamFailed:    "“exit status 1” on node_02; no new stream was started",
		room.ConcernRecordingBroken: "“exit status 1” on node_02; there is no file: see the recorder’s log",
		room.ConcernFileOverdue:     "ended " + at + ", still no file (expected within 15 min); see whether node_02 is at work",
		room.ConcernRecordingNobody: "nobody has been there since " + at + ", and it is still recorded (limit 15 min)",
		room.ConcernStreamNobody:    "nobody has been there since " + at + ", and it is still streamed (limit 15 min)",
		room.ConcernDisputed:        "last heard of " + at + ", but plugNmeet’s API does not say the same; it stays until more polls agree",
		room.ConcernRoomEmpty:       "nobody has been there since " + at + "; plugNmeet should have ended it within 15 min, end it there",
		room.ConcernRoomOverdue:     "planned to end " + at + ", and plugNmeet has not ended it within 15 min",
		room.ConcernAPIFailing:      "no room was confirmed since " + at + " (expected within 15 min): exit status 1; rooms are shown as deliveries tell",
		room.ConcernSourceSilent:    "nothing came since " + at + " (expected within 15 min) while 38 rooms are live; see whether plugNmeet still reaches this address",
		room.ConcernIntakeRefused:   "38 in 15 min, most of them: exit status 1",
		"boredom":                   "since " + at + ": exit status 1",
	} {
		a.Concern = concern
		if got := Why(a); got != want {
			t.Errorf("%s: %q, want %q", concern, got, want)
		}
		item := render(alarmItem("x", a))
		text := strings.ReplaceAll(wordsOf(t, item), "2026-11-24 12:00:00 UTC", at)
		if sign := concernSign(concern); !strings.HasPrefix(text, sign.word+" Weekly ops "+want) || !bytes.Contains(sprite.Body, []byte(`<symbol id="`+sign.glyph+`"`)) {
			t.Errorf("%s reads %q", concern, text)
		}
		if _, known := concernSigns[concern]; known == (concern == "boredom") {
			t.Errorf("%s: %v", concern, known)
		}
	}
	for _, c := range concernsKnown {
		if bare := Why(room.Alarm{Concern: c, Since: noon}); bare == "" || strings.Contains(bare, "“”") || strings.Contains(bare, "  ") {
			t.Errorf("%s, of which nothing is known: %q", c, bare)
		}
	}
	if len(concernSigns) != len(concernsKnown)-1 {
		t.Error("a concern is not tested")
	}
}

func TestThresholdsReadLikeProse(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "0 min", time.Second: "1 s", 90 * time.Second: "90 s", time.Minute: "1 min", 2 * time.Minute: "2 min", 35 * time.Minute: "35 min",
		time.Hour: "1 h", 150 * time.Minute: "2 h 30 min", 1 << 62: "1,281,023 h 53 min"} {
		if got := spanWords(d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}

func TestAnAlarmLeadsToWhereItIsSeen(t *testing.T) {
	for want, a := range map[string]room.Alarm{
		"/rooms/a%2Fb":            {SID: "a/b", Source: "default"},
		"/rooms/s1?source=emea+2": {SID: "s1", Source: "emea 2"},
		"/intake?source=%26":      {Concern: room.ConcernSourceSilent, Source: "&"},
		"/intake":                 {Concern: room.ConcernIntakeRefused, Source: "emea"},
	} {
		if got := string(alarmURL(a)); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func alarmsOf(n int) (out []room.Alarm) {
	for i := range n {
		out = append(out, room.Alarm{Concern: room.ConcernFileOverdue, Source: "default", SID: fmt.Sprint("s", i), Since: at(-i)})
	}
	return out
}

func TestTheBandIsThereOnlyWithAlarms(t *testing.T) {
	count := func(n int) (byParent map[string]int, sum, rest string) {
		byParent = make(map[string]int)
		for _, e := range overviewElements(live.Overview{Alarms: alarmsOf(n)}) {
			byParent[e.Parent]++
			switch e.ID {
			case "alarms-sum":
				sum = wordsOf(t, e.Render())
			case "alarms-unseen":
				rest = wordsOf(t, e.Render())
			}
		}
		return byParent, sum, rest
	}
	for _, c := range []struct {
		n, shown, beyond, foot int
		sum, rest              string
	}{
		{0, 0, 0, 0, "", ""},
		{1, 1, 0, 1, "1", ""},
		{3, 3, 0, 1, "3 · oldest 2026-11-24 11:58:00 UTC", ""},
		{8, 8, 0, 1, "8 · oldest 2026-11-24 11:53:00 UTC", "5 more"},
		{9, 8, 1, 1, "9 · oldest 2026-11-24 11:52:00 UTC", "1 more 6 more"},
		{1_234, 8, 93, 1, "1,234 · oldest 2026-11-23 15:27:00 UTC", "1,226 more 1,231 more"},
	} {
		got, sum, rest := count(c.n)
		if got["alarms"] != c.shown || got["alarms-beyond"] != c.beyond || got["sources"] != c.foot || sum != c.sum || rest != c.rest {
			t.Errorf("of %d: %v, %q, %q", c.n, got, sum, rest)
		}
	}
	_, inner := parts(t, live.Overview{})
	if root := string(HTML{}.Root(live.Overview{}, inner)); !strings.Contains(root, `<ul id="alarms" class="alarms alarms-first" data-hold></ul>`) {
		t.Error("the empty list is not empty: the style sheet takes it away only if it is")
	}
}

func TestEveryPageTellsHowMuchNeedsAttention(t *testing.T) {
	for name, m := range map[string]live.Model{"overview": live.Overview{Alarms: alarmsOf(2)}, "room": live.Room{SID: "x", AlarmCount: 2}, "sessions": live.Sessions{AlarmCount: 2},
		"recordings": live.Recordings{AlarmCount: 2}, "artifacts": live.Artifacts{AlarmCount: 2}, "intake": live.Intake{AlarmCount: 2}} {
		_, inner := parts(t, m)
		if foot := string(inner["sources"]); !strings.Contains(foot, `href="/" data-alarms="2"`) || !strings.Contains(foot, "2 need attention") {
			t.Errorf("%s: %s", name, foot)
		}
	}
	if one := string(render(alarmsCount("x", 1))); !strings.Contains(one, "1 needs attention") {
		t.Error(one)
	}
}
