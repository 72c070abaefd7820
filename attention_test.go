package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// told posts deliveries of a session as plugNmeet would have, so many minutes ago.
func (a *testApp) told(minutesAgo int, event, sid, more string) {
	a.t.Helper()
	at := time.Now().Add(-time.Duration(minutesAgo) * time.Minute).Unix()
	body := fmt.Sprintf(`{"event":%q,"room":{"sid":%q,"room_id":"room-%s"}%s,"id":"%s-%s-%d","created_at":"%d"}`, event, sid, sid, more, event, sid, minutesAgo, at)
	if !post(a.client, a.URL(), []byte(body)) {
		a.t.Fatalf("not taken: %s", body)
	}
}

const (
	recorderJob = `,"recording_info":{"record_id":"rec-1","recorder_id":"node_02","recorder_msg":"success"}`
	someone     = `,"participant":{"sid":"PA_1","identity":"u-1","name":"Ana","state":"ACTIVE"}`
)

// concerns is what the API lists, in its order.
func (a *testApp) concerns() (out []string) {
	a.t.Helper()
	var list struct {
		Items []struct{ Concern, Why string }
	}
	if code := a.get("/api/v1/attention", &list); code != http.StatusOK {
		a.t.Fatal(code)
	}
	for _, item := range list.Items {
		out = append(out, item.Concern)
	}
	return out
}

// A recording goes on in an empty room: it appears on the page, in the API and at the receiver, once, and
// is gone when somebody comes.
func TestWhatNeedsAttentionComesEverywhereAndGoesByItself(t *testing.T) {
	hook := startReceiver(t)
	config := testConfig("memory:")
	config.Attention = hook.config()
	app := startApp(t, config)
	defer app.close()
	b := startBrowser(t)
	b.visit(app.URL())
	b.await("live", isLive)
	if there := eval[bool](b, `document.querySelector("#attention").checkVisibility()`); there {
		t.Error("the band is there before anything needs attention")
	}
	other := b.tab(app.URL() + "/sessions")

	app.told(60, "room_created", "s1", "")
	app.told(59, "room_started", "s1", "")
	app.told(50, "start_recording", "s1", recorderJob)
	b.await("the alarm on the page", `document.querySelector("#alarms > [data-alarm=recording_nobody][data-level=late] a[href='/rooms/s1']")`)
	b.await("its words", `document.querySelector("#attention").innerText.includes("still recorded (limit 2 min)")`)
	other.await("the number on another page", `document.querySelector("#sources > [data-alarms='1']")`)
	if got := app.concerns(); !slices.Equal(got, []string{"recording_nobody"}) {
		t.Errorf("the API lists %v", got)
	}
	app.await("the post", func() bool { return slices.Equal(hook.posted(), []string{"recording_nobody/default/s1/"}) })

	app.told(0, "participant_joined", "s1", someone)
	b.await("it is gone from the page", `!document.querySelector("[data-alarm]") && !document.querySelector("#attention").checkVisibility()`)
	other.await("and from the other page", `!document.querySelector("[data-alarms]")`)
	if got := app.concerns(); len(got) > 0 {
		t.Errorf("the API lists %v", got)
	}
	b.sameAsFresh(app.URL())

	app.told(0, "end_recording", "s1", strings.Replace(recorderJob, "success", "no space left", 1))
	b.await("what the recorder said", `document.querySelector("#alarms > [data-level=bad]")?.innerText.includes("“no space left” on node_02")`)
	app.await("one post for each that was new", func() bool { return len(hook.posted()) == 2 })
	if got := hook.posted()[1]; got != "recording_failed/default/s1/rec-1" {
		t.Errorf("posted %s", got)
	}
}

// Many rooms come in pages; chips and heads lead where they say, and their figures change while one looks.
func TestManyRoomsComeInPages(t *testing.T) {
	app := startApp(t, testConfig("memory:"))
	defer app.close()
	const many = 123
	for n := range many {
		app.told(many-n, "room_created", fmt.Sprintf("s%03d", n), "")
	}
	app.await("all are live", func() bool {
		var state struct{ Totals struct{ Rooms int } }
		return app.get("/api/v1/state", &state) == http.StatusOK && state.Totals.Rooms == many
	})
	b := startBrowser(t)
	b.visit(app.URL() + "/?sort=running")
	b.await("live", isLive)
	const turn = `document.querySelector("#rooms-turn")?.innerText`
	seen := make(map[string]bool)
	for i, want := range []string{"Rooms 1–50 of 123", "Rooms 51–100 of 123", "Rooms 101–123 of 123"} {
		b.await(want, turn+`?.startsWith("`+want+`")`)
		for _, id := range eval[[]string](b, `[...document.querySelectorAll("#rooms > tr")].map((row) => row.id)`) {
			seen[id] = true
		}
		if i < 2 {
			b.do(chromedp.Click(`#rooms-turn [rel=next]`, chromedp.ByQuery))
		}
	}
	if len(seen) != many {
		t.Errorf("%d rooms were seen, of %d", len(seen), many)
	}
	b.await("live", isLive)
	b.do(chromedp.Click(`#chips #chip-empty`, chromedp.ByQuery))
	b.await("the chip is pressed", `document.querySelector("#chip-empty[aria-current=true]")`)
	if got := eval[string](b, `location.search`); got != "?only=empty&sort=running" {
		t.Errorf("the chip leads to %s", got)
	}
	b.await("live", isLive)
	b.await("its number", `document.querySelector("#chip-empty b").textContent === "123"`)
	app.told(0, "participant_joined", "s001", someone)
	b.await("its number changes", `document.querySelector("#chip-empty b").textContent === "122" && `+turn+`?.startsWith("Rooms 1–50 of 122")`)
	b.sameAsFresh(app.URL() + "/?only=empty&sort=running")
}
