package views

import (
	"fmt"
	"slices"
	"time"

	"github.com/a-h/templ"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
)

func (g gallery) jobs() []exhibit {
	d := g.meeting(72).Detail()
	var recordings, streams, boxed []specimen
	for _, r := range d.Recordings {
		recordings = append(recordings, of(r.State, recordingBlock("recording-"+r.RecordID, recordingOf{r, recordingFileURL(g.sources(), d.Key(), r)})))
	}
	recordings = append(recordings, of("found going on", recordingBlock("recording-", recordingOf{room.Recording{State: room.RecordingActive, StartedAt: g.ago(3)}, ""})))
	recordings = append(recordings, of("hardly known", recordingBlock("recording", recordingOf{room.Recording{RecordID: wordName, State: "strange"}, ""})))
	for _, s := range d.Streams {
		streams = append(streams, of(s.State, streamBlock("stream-"+s.RecordID, s)))
	}
	counts := []room.RecordingCount{{State: room.RecordingActive, N: 9, Since: g.ago(47)}, {State: room.RecordingProcessing, N: 4, Since: g.ago(71)}, {State: room.RecordingReady, N: 12345, Bytes: 14_200_000_000_000}}
	m := live.Recordings{Query: room.RecordingQuery{State: room.RecordingFailed}, Counts: counts, Minute: g.now, Rows: g.recordings()}
	for _, b := range boxes(m) {
		boxed = append(boxed, of(b.state, stateBox("state-"+b.state, b)))
	}
	return []exhibit{{"recording", "rail", false, recordings}, {"stream", "rail", false, streams}, {"box of a state", "states", false, boxed}}
}

func (g gallery) timelines() []exhibit {
	drawn := func(name string, m live.Room) specimen {
		return specimen{name, partOf(m, `<section class="timeline"`, "</section>")}
	}
	latest, only := g.roomOf(g.meeting(72)), g.roomOf(g.over())
	latest.Span, only.Span = live.SpanQuarter, live.SpanSession
	healed := g.roomOf(g.meeting(72))
	healed.Detail.Corrections = g.corrections()
	healed.Gaps = g.gaps()
	return []exhibit{{"timeline", "one", true, []specimen{
		drawn("live, each way to leave", g.roomOf(g.meeting(72))), drawn("its last quarter of an hour", latest), drawn("ended, and what followed", g.roomOf(g.over())),
		drawn("only the session", only), drawn("more lanes than a screen holds", g.roomOf(g.crowd())), drawn("put right by checks", healed), drawn("nobody has come", g.roomOf(g.stage("x", "x", "x", 3))),
	}}}
}

func (g gallery) charts() []exhibit {
	chart := func(day []room.Sample) templ.Component {
		return concurrency("concurrency", concurrencyOf(day, nil, g.now))
	}
	day := g.day()
	days := usageDays(g.usage(), g.now)
	var costs []byte
	for _, e := range costliest(distinctIDs{}, []room.RoomCost{{Filed: g.filed(longName), Cost: 1.62}, {Filed: g.filed(arabicName), Cost: 0.94}, {Filed: g.filed(plainName), Cost: 0.004}}) {
		costs = append(costs, e.Render()...)
	}
	return []exhibit{
		{"concurrency", "sessions", true, []specimen{of("a day with gaps", concurrency("concurrency", concurrencyOf(day, g.gaps(), g.now))), of("the last minutes only", chart(day[len(day)-9:])), of("nothing", chart(nil))}},
		{"costs", "costs", false, []specimen{of("a fortnight", costChart("cost-chart", days)), of("nothing has a price", costChart("cost-chart", usageMonth{}))}},
		{"dearest rooms", "costs", false, []specimen{{"three", slices.Concat([]byte(`<ul class="costliest">`), costs, []byte(`</ul>`))}}},
		{"sparklines", "", false, []specimen{of("of the last hour", sparkline(sparkOf(pointsOf(day[len(day)-60:], g.ago(60), time.Minute, 60, func(t room.Totals) int { return t.People })), "")),
			of("of recordings", sparkline(sparkOf([]point{{0, 1}, {20, 3}, {21, 4}, {59, 2}}), "plum")), of("zero", sparkline(sparkOf([]point{{0, 0}, {1, 0}}), "grey")), of("nothing", sparkline(spark{}, ""))}},
	}
}

// items are what stands beside tables.
func (g gallery) items() []exhibit {
	ul := func(name string, items ...templ.Component) specimen {
		var list []byte
		for _, c := range items {
			list = append(list, render(c)...)
		}
		return of(name, railList("items", name, "/", "All", list))
	}
	var made, recorded, filed []templ.Component
	for _, a := range g.artifacts() {
		made, filed = append(made, newArtifact("x"+a.ArtifactID, artifactLineOf(a, g.sources()))), append(filed, artifactItem("y"+a.ArtifactID, artifactOf{a.Artifact, artifactFileURL(g.sources(), room.Key{Source: "default", SID: "x"}, a.Artifact)}))
	}
	for _, r := range g.recordings() {
		recorded = append(recorded, newRecording("x"+r.RecordID, recordingLine{FiledRecording: r.FiledRecording, due: r.Due, overdue: r.Overdue}))
	}
	busy, over := g.meeting(72).Summary(), g.over().Summary()
	lost := over
	lost.Title, lost.EndedBy, lost.PeakPeople, lost.EndedAt = arabicName, room.ByJanitor, 0, time.Time{}
	return []exhibit{{"items", "rail", false, []specimen{
		ul("New artifacts", made...), ul("Artifacts of a room", filed...), ul("Recordings", recorded...),
		ul("Just ended", endedItem("e1", &over), endedItem("e2", &lost), sayItem("e3", "No session has ended lately.")),
		ul("Breakout rooms", parentItem("b1", &over), selfItem("b2", longName), breakoutItem("b3", &busy), breakoutItem("b4", &lost), parentItem("b5", &busy)),
		ul("Put right", g.putRight()...),
		ul("What came of it", analyticsItem("a1", room.Analytics{FileID: "8b7ff368-5a08-4827-a496-3a1b88633fa0", CreatedAt: g.ago(3)}),
			speechItem("a2", room.Speech{UserID: "user-01", Seconds: 7200, StartedAt: g.ago(60), EndedAt: g.ago(3)}), speechItem("a3", room.Speech{Seconds: 59})),
	}}}
}

func (g gallery) incoming() []exhibit {
	all := live.Intake{Counts: g.intake(), Refusals: g.refusals(), Rows: g.deliveries(), Minute: g.now, Sources: g.sources(), Query: room.DeliveryQuery{Verdict: room.Refused}}
	fresh := live.Intake{Minute: g.now, Sources: []live.SourceState{{Name: "default", Status: "waiting"}}}
	one := all
	one.Refusals = g.refusals()[:1]
	d := room.Delivery{Position: "1204881", ReceivedAt: g.ago(1), Source: "default", ID: "EV_w2PqXzR7mLcd", Event: "participant_joined", RoomID: "choir-at", SID: "c1b2f0de", Verdict: room.Accepted, LagMS: 240, Body: galleryBody,
		Said: &room.Event{Kind: room.KindParticipantJoined, Participant: &room.ParticipantSaid{Name: "Zoë Þórsdóttir 🎶"}}}
	bare := room.Delivery{ReceivedAt: g.ago(1), Verdict: room.Refused, Reason: longName}
	var counters []byte
	for _, e := range intakeElements(all) {
		if e.Parent == "verdicts" {
			counters = append(counters, e.Render()...)
		}
	}
	band := func(m live.Intake) templ.Component { return diagnosisBand("diagnosis", diagnose(m, countsOf(m))) }
	return []exhibit{
		{"sources of deliveries", "intake", true, []specimen{{"each health", tableOf(all)}}},
		{"verdict counters", "intake", true, []specimen{{"one is filtered by", slices.Concat([]byte(`<div class="verdicts">`), counters, []byte(`</div>`))}}},
		{"told of the intake", "", false, []specimen{of("told", intakeText("told", intakeTold{2, 4924}))}},
		{"diagnosis", "intake", true, []specimen{of("nothing ever came", band(fresh)), of("one reason", band(one)), of("every reason", band(all))}},
		{"put right", "intake", true, []specimen{of("in an hour", healedBand("healed", healedOf(live.Intake{Corrections: g.correctionRows()})))}},
		{"payload", "", true, []specimen{of("whole", payloadSection(d, payloadOf(d.Body))), of("cut off", payloadSection(d, payload{html: []byte("{"), shown: 65_000, whole: 900_000})), of("not kept", payloadSection(bare, payload{}))}},
	}
}

func (g gallery) nothings() []exhibit {
	list := func(name string, n nothing) specimen { return of(name, emptyList("empty", n)) }
	sessions := nothing{what: sessionNoun, received: true, when: "A session appears here as soon as plugNmeet creates a room."}
	searched, filtered, beyond, new := sessions, sessions, sessions, nothing{what: sessionNoun}
	searched.text, searched.clear = wordName, sessionsPath
	filtered.clear = sessionsPath
	beyond.newest = sessionsPath
	return []exhibit{
		{"no rooms", "", false, []specimen{of("new", noRooms("empty", emptiness{})), of("none is live", noRooms("empty", emptiness{received: true})), of("none matches", noRooms("empty", emptiness{text: arabicName, rooms: 24, received: true}))}},
		{"empty lists", "", false, []specimen{list("none yet", sessions), list("none matches", searched), list("filtered", filtered), list("beyond the end", beyond), list("nothing came", new)}},
		{"notes", "", false, []specimen{of("say", say("note", "Showing 200 of 1,201 rooms. Narrow the filter to see the others.")), {"row", slices.Concat([]byte("<table><tbody>"), render(emptyRow("x", "Nobody is here now.")), []byte("</tbody></table>"))}}},
	}
}

// ownSigns are whose our own entries are.
func ownSigns() (out []specimen) {
	for _, k := range []room.Kind{room.KindListed, room.KindAbsent, room.KindJanitor, room.KindPolled, room.KindGap, room.KindAsked, room.KindClocks} {
		out = append(out, of(k.String(), verdict(ownSign(k))))
	}
	return out
}

// corrections are one of each kind, minutes apart.
func (g gallery) corrections() (out []room.Correction) {
	for i, c := range []room.Corrected{
		{What: room.Found, PeopleMissing: 7, BotsMissing: 1}, {What: room.Adjusted, PeopleMissing: 1, PeopleGone: 2, TracksMissing: 1, TracksGone: 3, BotsGone: 2},
		{What: room.Back}, {What: room.Made, Files: 1, Artifacts: 2}, {What: room.Passed}, {What: room.Adjusted, JobsGone: 1}, {What: room.Asked, By: "fatima"}, {What: room.Silent, SilentMinutes: 1440}, {What: room.Gone, PeopleGone: 4},
	} {
		at := g.ago(60 - 4*i)
		c.Since = room.At(at) - 30_000
		out = append(out, room.Correction{At: at, Text: c.Text(), Corrected: c})
	}
	out[1].TakenBack = room.TakenBack{At: g.ago(50), Text: "taken back: 1 person was still there", PeopleGone: 1}
	out[len(out)-1].TakenBack = room.TakenBack{At: g.ago(20), Text: "taken back: plugNmeet listed it again", Whole: true, PeopleGone: 4}
	return out
}

func (g gallery) putRight() (out []templ.Component) {
	for i, c := range g.corrections() {
		out = append(out, correctionItem(fmt.Sprint("c", i), c))
	}
	return out
}

func (g gallery) correctionRows() (out []live.DeliveryRow) {
	for i, c := range slices.Backward(g.corrections()) {
		e := room.Event{Kind: room.KindListed, Corrected: &c.Corrected}
		out = append(out, live.DeliveryRow{Name: []string{longName, arabicName, plainName}[i%3], TakenBack: c.TakenBack, Delivery: room.Delivery{Position: fmt.Sprint(i + 1), ReceivedAt: c.At,
			Source: "default", SID: fmt.Sprint("s", i), Event: room.EventCorrection, Verdict: room.Accepted, Reason: c.Text, Said: &e}})
	}
	return out
}

func (g gallery) gaps() []live.Gap {
	return []live.Gap{{Source: "default", From: g.ago(41), To: g.ago(37), Why: "Roomwatch did not run"}, {Source: "default", From: g.ago(12), To: g.now.Add(-11*time.Minute - 50*time.Second), Why: "the record could not be written"}}
}
