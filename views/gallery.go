package views

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
)

// Gallery is the root of a page with every component in every state, for those who work on them. All of it is
// made by the functions that make the pages, of things that were made up.
func Gallery(now time.Time) []byte {
	return render(galleryRoot(gallery{now.Truncate(time.Minute)}.sections()))
}

// gallerySection is a part of the gallery.
type gallerySection struct {
	title    string
	exhibits []exhibit
}

func (s gallerySection) id() string { return "g-" + slug(s.title) }

func slug(title string) string { return strings.ReplaceAll(strings.ToLower(title), " ", "-") }

// exhibit is a component in its states. Its name names its golden file, too.
type exhibit struct {
	name   string
	within string // classes of the element around each state, where the style sheet asks for some
	wide   bool   // it takes the width of a page
	states []specimen
}

// specimen is a component in a state.
type specimen struct {
	name string
	html []byte
}

func of(name string, c templ.Component) specimen { return specimen{name, render(c)} }

// apart is the specimen with ids of its own, and with what refers to them: the same component is on the page
// many times.
func (s specimen) apart(exhibit, theme string, n int) []byte {
	prefix := fmt.Sprintf("%s-%s-%d-", slug(exhibit), theme, n)
	return idsIn.ReplaceAllFunc(s.html, func(found []byte) []byte {
		m := idsIn.FindSubmatch(found)
		ids := strings.Fields(string(m[2]))
		for i, id := range ids {
			ids[i] = prefix + id
		}
		return slices.Concat(m[1], []byte(strings.Join(ids, " ")), m[3])
	})
}

var idsIn = regexp.MustCompile(`( (?:id|for|list|aria-labelledby|aria-describedby|aria-controls)="| href="#|url\(#)([^")]+)("|\))`)

// tableOf is the table of a page, with its head and rows, and formOf its filters.
func tableOf(m live.Model) []byte { return partOf(m, "<table", "</table>") }
func formOf(m live.Model) []byte  { return partOf(m, `<form id="filter"`, "</form>") }

// partOf is the first part of a page from one tag to another.
func partOf(m live.Model, from, to string) []byte {
	root := HTML{}.Root(m, innerOf(m))
	i := bytes.Index(root, []byte(from))
	if i < 0 {
		panic("views: the gallery looks for a part that is not there: " + from)
	}
	part := root[i : i+bytes.Index(root[i:], []byte(to))+len(to)]
	return slices.Concat([]byte(`<div class="`), classOf(root), []byte(`">`), part, []byte("</div>"))
}

// classOf is the class of a page's root, which its style sheet may ask for.
func classOf(root []byte) []byte {
	_, rest, _ := bytes.Cut(root, []byte(` class="`))
	class, _, _ := bytes.Cut(rest, []byte(`"`))
	return class
}

func innerOf(m live.Model) map[string][]byte {
	inner := make(map[string][]byte)
	for _, e := range (HTML{}).Elements(m) {
		inner[e.Parent] = append(inner[e.Parent], e.Render()...)
	}
	return inner
}

// signsOf shows every sign of a list of words, in the order of what they stand for.
func signsOf[K ~string](signs map[K]sign, show func(K, sign) templ.Component) (out []specimen) {
	for _, key := range slices.Sorted(maps.Keys(signs)) {
		out = append(out, of(string(key), show(key, signs[key])))
	}
	return out
}

func (g gallery) sections() []gallerySection {
	return []gallerySection{
		{"Connection", []exhibit{{"pill", "", false, pills()}}},
		{"Signs", g.signs()},
		{"Words and times", g.words()},
		{"Controls", g.controls()},
		{"Figures", g.figures()},
		{"Heads", g.heads()},
		{"Tables", g.tables()},
		{"Recordings and streams", g.jobs()},
		{"Timeline", g.timelines()},
		{"Charts", g.charts()},
		{"Lists beside", g.items()},
		{"Intake", g.incoming()},
		{"Empty", g.nothings()},
		{"Accounts", g.accounts()},
		{"In frames", g.frames()},
	}
}

// pills are the states of the connection, with the texts that the script writes into them.
func pills() (out []specimen) {
	html := string(render(pill()))
	for _, s := range [...][4]string{
		{"connecting", "Connecting", "", ""}, {"live", "Live", "0.2 s", "Pause"}, {"paused", "Paused", "7 waiting", "Resume"}, {"reconnecting", "Reconnecting", "in 4 s", "Now"},
		{"stale", "Stale", "since 14:29:51", "Reconnect"}, {"offline", "Offline", "in 28 s", "Retry"}, {"blocked", "Not live", "", "Why"}, {"expired", "Session expired", "", "Sign in"},
	} {
		action := " data-action"
		if s[3] == "" {
			action += " hidden"
		}
		shown := strings.NewReplacer(`data-state="connecting"`, `data-state="`+s[0]+`"`, ">Connecting<", ">"+s[1]+"<", "<span data-figure></span>", "<span data-figure>"+s[2]+"</span>", " data-action>Pause<", action+">"+s[3]+"<")
		out = append(out, specimen{s[0], []byte(shown.Replace(html))})
	}
	return out
}

func (g gallery) signs() []exhibit {
	since := g.ago(67)
	plainBadge := func(_ string, s sign) templ.Component { return badge(s) }
	agedBadge := func(_ string, s sign) templ.Component { return badgeSince(s, since) }
	ways := func(reason string, _ sign) templ.Component {
		return tracksOrReason(room.Connection{SID: "PA", Reason: reason, LeftAt: g.ago(12)})
	}
	heads, accounts := make(map[string]templ.Component), make(map[string]templ.Component)
	for _, by := range []room.Evidence{room.ByWebhook, room.ByReconcile, room.BySuccessor, room.ByJanitor, ""} {
		heads["ended by "+string(by)] = endedBy(room.Head{State: room.StateEnded, EndedBy: by})
	}
	for _, s := range []room.State{room.StateLive, room.StateCreated} {
		heads["is "+string(s)] = endedBy(room.Head{State: s})
	}
	for _, t := range []room.Trust{room.TrustConfirmed, room.TrustUnconfirmed, room.TrustDisputed, room.TrustUnverified} {
		for _, by := range []string{"webhook", "api"} {
			accounts[fmt.Sprint("known by ", by, ", ", t)] = known(room.Head{KnownBy: by, Trust: t, SID: "770aa658", Source: "default", LastEventAt: g.ago(0), VerifiedAt: g.ago(2), CreatedAt: since})
		}
	}
	for _, s := range []room.State{room.StateLive, room.StateCreated, room.StateEnded} {
		heads["room is "+string(s)] = roomState(room.Head{State: s, CreatedAt: since, EndedAt: g.now})
	}
	named := func(components map[string]templ.Component) (out []specimen) {
		for _, name := range slices.Sorted(maps.Keys(components)) {
			out = append(out, of(name, components[name]))
		}
		return out
	}
	return []exhibit{
		{"badges of recordings", "", false, append(signsOf(recordingSigns, agedBadge), of("overdue", badgeSince(overdueSign, since)), of("unknown", badge(signOf(recordingSigns, "strange"))))},
		{"badges of streams", "", false, append(signsOf(streamSigns, plainBadge), of("with its age", badgeSince(streamSigns[room.StreamLive], since)))},
		{"badges of verdicts", "", false, signsOf(verdictSigns, func(v room.Verdict, _ sign) templ.Component { return verdictBadge(v) })},
		{"verdicts", "", false, signsOf(verdictSigns, func(v room.Verdict, _ sign) templ.Component { return verdict(verdictSign(v)) })},
		{"entries of our own", "", false, ownSigns()},
		{"reasons", "", false, signsOf(reasonSigns, ways)},
		{"states of recordings", "", false, signsOf(recordedSigns, func(_ string, s sign) templ.Component { return state(s) })},
		{"kinds of artifacts", "", false, signsOf(artifactSigns, func(_ string, s sign) templ.Component { return state(s) })},
		{"standing", "", false, named(heads)},
		{"how it is known", "known", false, named(accounts)},
	}
}

// tracksOrReason is what a row says of somebody who left.
func tracksOrReason(c room.Connection) templ.Component { return reason(c, time.Time{}) }

func (g gallery) words() []exhibit {
	track := func(source, media, mime string, muted, simulcast bool, width int) room.Track {
		return room.Track{Source: source, Media: media, Mime: mime, Muted: muted, Simulcast: simulcast, Width: width, Height: width * 9 / 16}
	}
	e2ee := track("camera", "video", "video/AV1", false, true, 3840)
	e2ee.Encryption = "GCM"
	var chips []specimen
	for _, t := range []room.Track{
		track("microphone", "audio", "audio/red", false, false, 0), track("microphone", "audio", "audio/opus", true, false, 0), track("camera", "video", "video/VP8", false, true, 1280), e2ee,
		track("screen_share", "video", "video/VP9", false, false, 1920), track("screen_share_audio", "audio", "audio/opus", false, false, 0), track("unknown", "data", "", false, false, 0),
	} {
		chips = append(chips, of(fmt.Sprint(t.Source, " ", t.Mime), chip(t)))
	}
	var times []specimen
	for name, show := range map[string]func(time.Time) templ.Component{"age": age, "fresh": fresh, "ago": ago, "clock": clock, "clock under its day": clockIn, "clock to the second": clockOf, "minute": minute} {
		for _, t := range []time.Time{g.now.Add(-300 * time.Millisecond), g.ago(8), g.ago(67), g.ago(60 * 24 * 12)} {
			times = append(times, of(fmt.Sprint(name, ", ", length(g.now.Sub(t))), show(t)))
		}
	}
	slices.SortStableFunc(times, func(a, b specimen) int { return strings.Compare(a.name, b.name) })
	return []exhibit{
		{"chips", "", false, chips},
		{"times", "", false, times},
		{"ids", "", false, []specimen{of("id", copied("rig-f1-1", "room id")), of("long id", copied("770aa658-cb96-4525-8930-57d5a3d2e818", "session id")), of("count", count("count", 12406)),
			of("size", size(184_370_000)), of("bytes", size(1))}},
		{"found", "", false, []specimen{of("nothing searched", foundText("told", found{12406, sessionNoun, "", false, ""})), of("searched", foundText("told", found{38, sessionNoun, "fatima", true, ""})),
			of("one", foundText("told", found{1, recordingNoun, arabicName, true, ""})), of("filtered", foundText("told", found{0, artifactNoun, "", true, ""})),
			of("uncounted", foundText("told", found{room.MaxCount + 1, deliveryNoun, "", false, ""})),
			of("of a time", foundText("told", found{12, sessionNoun, "", true, ranWords(g.ago(60), g.ago(30))})), of("in a line", foundIn("Fatima "+arabicName+" fatima.k", "fatima"))}},
	}
}

func (g gallery) controls() []exhibit {
	from, to := g.ago(60*24*7), g.now
	query := room.SessionQuery{Text: "fatima", RoomID: "rig-f1-1", State: room.StateEnded, From: from, To: to, Source: "emea-2"}
	return []exhibit{
		{"buttons", "", false, []specimen{of("submit", submit()), of("copy", section(copyPre())), of("copier", copied("rig-f1-1", "room id"))}},
		{"downloads", "exports", false, []specimen{of("CSV", download("CSV", sessionsPath, query)), of("JSON", download("JSON", sessionsPath, query))}},
		{"switches", "", false, []specimen{of("density", densities()), of("zones", zones()), of("themes", themes()), of("finder", finder()), of("bell", bell()),
			of("windows of a live room", spanLinks("spans", spanChoice{room.Key{SID: "x", Source: "emea"}, false, ""})),
			of("windows of one that ended", spanLinks("spans", spanChoice{room.Key{SID: "x", Source: "default"}, true, live.SpanSession}))}},
		{"options", "", false, []specimen{of("states", options("State", stateOptions(query))), of("no state", options("State", stateOptions(room.SessionQuery{}))), of("classes", options("Class", classOptions(room.ArtifactQuery{Class: room.ClassFile})))}},
		{"filters", "", true, []specimen{
			{"overview", formOf(live.Overview{})}, {"overview, searched", formOf(live.Overview{Query: live.RoomQuery{Text: arabicName}})},
			{"sessions", formOf(live.Sessions{Sources: g.sources()})}, {"sessions, all set", formOf(live.Sessions{Query: query, Sources: g.sources()})},
			{"recordings", formOf(live.Recordings{})}, {"artifacts", formOf(live.Artifacts{Query: room.ArtifactQuery{Type: "A_KIND_THAT_NOBODY_KNOWS", RoomID: wordName}})},
			{"intake", formOf(live.Intake{Query: room.DeliveryQuery{Verdict: room.Refused}})},
		}},
		{"turner", "", true, []specimen{of("all", turner("turner", turn{shown: 12, n: 12, what: sessionNoun})), of("first page", turner("turner", turn{50, 12406, sessionNoun, "", "/sessions?cursor=x"})),
			of("further back", turner("turner", turn{50, 12406, sessionNoun, "/sessions", "/sessions?cursor=x"})), of("uncounted", turner("turner", turn{50, -1, deliveryNoun, "/intake", ""}))}},
	}
}

// section gives a button that copies what it copies from.
func section(c templ.Component) templ.Component {
	return rendered(slices.Concat([]byte(`<section class="test"><pre>curl -sS http://127.0.0.1:8080/webhook</pre>`), render(c), []byte(`</section>`)))
}

func (g gallery) figures() []exhibit {
	hour := g.day()[len(g.day())-60:]
	totals := room.Totals{Rooms: 24, People: 319, Bots: 18, Microphones: 90, Cameras: 152, RecordingsActive: 9, StreamsActive: 3}
	dl := func(elements []live.Element) []byte {
		var out []byte
		for _, e := range elements {
			out = append(out, e.Render()...)
		}
		return slices.Concat([]byte(`<dl class="stats">`), out, []byte(`</dl>`))
	}
	huge := room.Totals{Rooms: 1_234, People: 12_345, Bots: 678, Microphones: 9_012, Cameras: 10_345, Screens: 1_234, RecordingsActive: 345, StreamsActive: 123}
	meeting := g.meeting(72).Summary()
	meeting.PlannedMinutes = 90
	return []exhibit{
		{"totals", "overview", true, []specimen{{"an hour", dl(trends(totals, hour))}, {"zero, no hour", dl(trends(room.Totals{}, nil))}, {"as many as there can be", dl(trends(huge, hour[:7]))}}},
		{"counts of a room", "one", true, []specimen{{"live", dl(roomStats(meeting))}, {"nothing", dl(roomStats(room.Summary{}))}}},
	}
}

func (g gallery) heads() []exhibit {
	busy := g.meeting(72).Summary()
	parent := g.over().Summary()
	created := room.Summary{Head: room.Head{Source: "emea-2", SID: "created", RoomID: "room02", State: room.StateCreated, CreatedAt: g.ago(1), KnownBy: "webhook", Trust: room.TrustUnconfirmed, ParentRoomID: "rig-f1-1"}}
	disputed := busy
	disputed.Title, disputed.Trust, disputed.Capped, disputed.VerifiedAt = arabicName, room.TrustDisputed, true, g.ago(3)
	lost := parent
	lost.Title, lost.EndedBy, lost.RoomID = wordName, room.ByJanitor, strings.Repeat("w", 120)
	q := room.SessionQuery{Text: "fatima"}
	inner := innerOf(live.Sessions{Query: q, Page: room.Page[room.Summary]{Items: g.history()}, Matches: 38, Minute: g.now})
	return []exhibit{
		{"head of a room", "one", true, []specimen{of("live", roomHead("head", headOf(busy, nil, busy.State == room.StateLive))), of("created, a breakout", roomHead("head", headOf(created, &parent, created.State == room.StateLive))), of("parent unknown", roomHead("head", headOf(created, nil, created.State == room.StateLive))),
			of("ended", roomHead("head", headOf(parent, nil, parent.State == room.StateLive))), of("disputed, capped", roomHead("head", headOf(disputed, nil, disputed.State == room.StateLive))), of("ended by the janitor", roomHead("head", headOf(lost, nil, lost.State == room.StateLive))), of("not known", unknownHead("head", wordName))}},
		{"head of a list", "", true, []specimen{of("searched", listHead("Sessions", sessionsPath, q, inner))}},
		{"needs attention", "overview", true, g.troubles()},
		{"column heads", "overview", true, []specimen{{"by people", tableOf(live.Overview{Rows: g.rows()[:1], Sources: g.sources()})}, {"by room, turned round", tableOf(live.Overview{Query: live.RoomQuery{Sort: "room", Reverse: true}, Rows: g.rows()[:1], Sources: g.sources()})}}},
		{"what was found", "find", true, []specimen{of("rooms and people", foundGroups(Found{Text: "fatima", Running: g.found(), Ended: g.history()})), of("nothing", foundGroups(Found{Text: wordName})), of("not asked", foundGroups(Found{}))}},
		{"end a room", "", true, []specimen{of("asked", endRoom(Ending{Key: busy.Key(), Name: longName, People: 24, Bots: 1})), of("in vain", endRoom(Ending{Key: busy.Key(), Name: arabicName, Problem: "It was not ended: plugNmeet does not list it."})), of("over", endRoom(Ending{Name: wordName, Ended: true}))}},
		{"as of", "", true, []specimen{of("Redis is away", behind(innerOf(live.Overview{AsOf: g.ago(2)})))}},
		{"notice", "", true, []specimen{of("an error", notice("Too many views", "More different views are open than this process serves.", "Try again in a minute."))}},
		{"sources", "", false, []specimen{of("delivering", sourceState("s", g.sources()[0])), of("without an API", sourceState("s", g.sources()[1])), of("its API fails", sourceState("s", g.sources()[2])), of("waiting", sourceState("s", g.sources()[3]))}},
	}
}

// found is a running session in which somebody was found.
func (g gallery) found() []room.Summary {
	running := g.meeting(72).Summary()
	running.Found = "Fatima الزهراء"
	return []room.Summary{running}
}

// troubles are one of each concern, and more than the band has room for.
func (g gallery) troubles() []specimen {
	var each, many []room.Alarm
	for _, concern := range slices.Sorted(maps.Keys(concernSigns)) {
		each = append(each, room.Alarm{Concern: concern, Source: "default", SID: "s" + string(concern), RoomID: "fin-close", Title: "Monday finance close", RecordID: "r",
			Since: g.ago(71), Limit: 15 * time.Minute, Recorder: "node_03", Message: "no space left on device", Count: 38})
	}
	for i := range 9 {
		many = append(many, room.Alarm{Concern: room.ConcernRoomOverdue, SID: strings.Repeat("m", i+1), Title: arabicName, Since: g.ago(i), Limit: time.Minute})
	}
	return []specimen{of("each concern", attention(innerOf(live.Overview{Alarms: each}))), of("more than there is room for", attention(innerOf(live.Overview{Alarms: many}))),
		of("in the foot", alarmsCount("n", 3))}
}

func (g gallery) tables() []exhibit {
	query := room.SessionQuery{Text: "fatima " + arabicName}
	over := g.roomOf(g.over())
	sessions := live.Sessions{Page: room.Page[room.Summary]{Items: g.history()}, Minute: g.now}
	searched := sessions
	searched.Query = query
	return []exhibit{
		{"live rooms", "overview", true, []specimen{{"each state", tableOf(live.Overview{Rows: g.rows(), Sources: g.sources()})}}},
		{"people", "one", true, []specimen{of("live", roster(innerOf(g.roomOf(g.meeting(72))))), of("ended", roster(innerOf(over))), of("nobody", roster(innerOf(g.roomOf(g.stage("x", "x", "x", 3)))))}},
		{"history", "sessions", true, []specimen{{"each state", tableOf(sessions)}, {"searched", tableOf(searched)}}},
		{"recordings", "recordings", true, []specimen{{"each state", tableOf(live.Recordings{Rows: g.recordings(), Minute: g.now})}}},
		{"artifacts", "artifacts", true, []specimen{{"each kind", tableOf(live.Artifacts{Page: room.Page[room.FiledArtifact]{Items: g.artifacts()}, Minute: g.now})}}},
		{"usage", "costs", true, []specimen{{"a fortnight", partOf(live.Artifacts{Days: g.usage(), Minute: g.now}, `<table class="usage"`, "</table>")}}},
		{"deliveries", "intake", true, []specimen{of("of all rooms", deliveriesTable(false, innerOf(live.Intake{Rows: g.deliveries(), Minute: g.now})["deliveries"])),
			of("of one room", deliveriesTable(true, innerOf(over)["deliveries"])), of("none", deliveriesTable(true, render(noDelivery("none", "No delivery of this session is kept."))))}},
		{"all deliveries", "", false, []specimen{of("more than these", allDeliveriesLink("all", allDeliveries{room.Key{SID: "x", Source: "emea"}, true})), of("these", allDeliveriesLink("all", allDeliveries{room.Key{SID: "x"}, false}))}},
	}
}
