package simulate_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/simulate"
)

// standIn is a stand-in that is listened to, and a client of it.
type standIn struct {
	*simulate.API
	url    string
	client *plugnmeet.API
	paths  []string // of all requests
}

// stand makes the stand-in tell this truth.
func stand(t *testing.T, rooms func() []room.Detail) *standIn {
	t.Helper()
	s := &standIn{API: &simulate.API{APIKey: "key", Secret: secret, Rooms: rooms}}
	var mu sync.Mutex
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		mu.Lock()
		s.paths = append(s.paths, request.URL.Path)
		mu.Unlock()
		s.ServeHTTP(w, request)
	}))
	t.Cleanup(server.Close)
	s.url, s.client = server.URL, ask(t, server.URL, "key", secret)
	return s
}

func ask(t *testing.T, url, key string, secret plugnmeet.Secret) *plugnmeet.API {
	t.Helper()
	a, err := plugnmeet.NewAPI(plugnmeet.APISettings{Source: "default", ServerURL: url, APIKey: key, Secret: secret, Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a
}

// busy is the truth after two hours.
var busy = sync.OnceValue(func() []room.Detail {
	life := simulate.Plan{Seed: 21, Rooms: 12, Start: start, Memory: 1 << 20}.Begin()
	for range life.Until(start.Add(2 * time.Hour)) { // its deliveries are not what this is about
	}
	return life.Truth()
})

func running(truth []room.Detail) (open []room.Detail) {
	for _, d := range truth {
		if d.State != room.StateEnded {
			open = append(open, d)
		}
	}
	return open
}

func (s *standIn) poll(t *testing.T) plugnmeet.Poll {
	t.Helper()
	p, err := s.client.ActiveRooms(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (b board) apply(events []room.Event) {
	for _, e := range events {
		if b[e.SID] == nil {
			b[e.SID] = room.New(room.Key{Source: e.Source, SID: e.SID})
		}
		b[e.SID].Apply(e)
	}
}

// unlisted are those whom plugNmeet never lists: its agents, and callers from outside (contract 5.3).
func unlisted(identity string) bool {
	number, caller := strings.CutPrefix(identity, "sip_")
	return caller && len(number) > 4 || strings.HasPrefix(identity, "pnm_agent-")
}

// here is who is online, of those whom plugNmeet lists, and what they publish.
func here(d room.Detail) (all []string) {
	for _, p := range d.Participants {
		if unlisted(p.Identity) {
			continue
		}
		if p.Online {
			all = append(all, p.Identity+" "+p.Kind+" "+p.Name)
		}
		for _, t := range p.Tracks {
			if t.Open {
				all = append(all, p.Identity+" "+t.SID+" "+t.Source+" "+t.Media)
			}
		}
	}
	slices.Sort(all)
	return all
}

func TestOnePollTellsAllThatIsTrueNow(t *testing.T) {
	s, b := stand(t, busy), board{}
	p := s.poll(t)
	b.apply(p.Events())
	open := running(busy())
	if len(open) < 10 || len(b) != len(open) || p.Unreadable != 0 || p.Hollow() || p.Skew != 0 {
		t.Fatalf("%d of %d, %+v", len(b), len(open), p)
	}
	for i, want := range open {
		got, listed := b[want.SID].Detail(), p.Rooms[i]
		if !slices.Equal(here(got), here(want)) {
			t.Errorf("%s:\ngot  %q\nwant %q", want.RoomID, here(got), here(want))
		}
		sum := want.Summary()
		if got.State != room.StateLive || got.Title != want.Title || got.RoomID != want.RoomID || got.ParentRoomID != want.ParentRoomID ||
			got.PlannedMinutes != want.PlannedMinutes || !got.CreatedAt.Equal(want.CreatedAt.Truncate(time.Second)) || got.Trust != room.TrustConfirmed ||
			listed.Recording != (sum.RecordingsActive > 0) || listed.Streaming != (sum.StreamsActive > 0) || listed.Hollow() {
			t.Errorf("%s:\ngot  %+v\n     %+v\nwant %+v", want.RoomID, got.Head, listed, want.Head)
		}
	}
}

// Contract 5.3, as seen on the real server.
func TestCallersAndAgentsAreNotListedAndHybridUsersAreOnTheirTwin(t *testing.T) {
	s := stand(t, busy)
	p := s.poll(t)
	seen := make(seen)
	for i, truth := range running(busy()) {
		listed := make(map[string]plugnmeet.Attendee)
		for _, a := range p.Rooms[i].Attendees {
			listed[a.Identity] = a
		}
		counted := 0
		for _, who := range truth.Participants {
			if !who.Online {
				continue
			}
			if who.Kind != "agent" {
				counted++
			}
			a, is := listed[who.Identity]
			c := who.Connections[len(who.Connections)-1]
			switch {
			case unlisted(who.Identity) == is:
				t.Errorf("%s is listed: %v", who.Identity, is)
			case !is:
				seen.note(who.Kind+" who is not listed", true)
			case strings.HasSuffix(who.Identity, "7") && who.Kind == "person":
				seen.note("a hybrid user", true)
				if a.SID == c.SID || a.JoinedAt <= room.At(c.JoinedAt) {
					t.Errorf("%s is listed as %+v, and joined as %+v", who.Identity, a, c)
				}
			case a.SID != c.SID:
				t.Errorf("%s is listed as %s, and joined as %s", who.Identity, a.SID, c.SID)
			}
		}
		if p.Rooms[i].Joined != counted {
			t.Errorf("%s: %d are counted, %d are there but for agents", truth.RoomID, p.Rooms[i].Joined, counted)
		}
	}
	for _, what := range []string{"sip who is not listed", "agent who is not listed", "a hybrid user"} {
		if !seen[what] {
			t.Errorf("nowhere there was %s", what)
		}
	}
	s.Suffer(simulate.Miscounted)
	for i, r := range s.poll(t).Rooms {
		if r.Joined <= p.Rooms[i].Joined {
			t.Errorf("%s: %d are counted", r.RoomID, r.Joined)
		}
	}
}

func TestTheTimesOfAPastSessionAreOfTwoClocks(t *testing.T) {
	s := stand(t, busy)
	for zone, ahead := range map[*time.Location]time.Duration{nil: 2 * time.Hour, time.UTC: 0, time.FixedZone("", -5*3600): -5 * time.Hour,
		time.FixedZone("", 5*3600+1800): 5*time.Hour + 30*time.Minute} {
		s.DatabaseZone = zone
		past, err := s.client.PastRooms(t.Context(), plugnmeet.PastQuery{Limit: 100})
		if err != nil || len(past.Items) < 5 {
			t.Fatal(past, err)
		}
		for _, p := range past.Items {
			i := slices.IndexFunc(busy(), func(d room.Detail) bool { return d.SID == p.SID })
			truth := busy()[i]
			if !p.Created.Equal(truth.CreatedAt.Add(ahead).Truncate(time.Second)) || !p.Ended.Equal(truth.EndedAt.Truncate(time.Second)) && !truth.EndedAt.IsZero() {
				t.Errorf("zone %v: %s was from %v to %v, told as from %v to %v", zone, p.RoomID, truth.CreatedAt, truth.EndedAt, p.Created, p.Ended)
			}
		}
	}
}

func TestAPollBringsWhatWasLostOnTheWay(t *testing.T) {
	plan := simulate.Plan{Seed: 22, Rooms: 6, Drop: 0.3}
	life, told := lived(t, plan, time.Hour)
	b, keyring := board{}, ring(t)
	var deliveries []room.Delivery
	for _, d := range told {
		deliveries = append(deliveries, decode(t, keyring, d))
	}
	b.fold(deliveries)
	b.apply(stand(t, life.Truth).poll(t).Events())
	for _, want := range running(life.Truth()) {
		got := here(b[want.SID].Detail())
		for _, who := range here(want) {
			if !slices.Contains(got, who) {
				t.Errorf("%s: %s is missing", want.RoomID, who)
			}
		}
	}
}

func TestWhatWasMissedIsFoundAmongThePast(t *testing.T) {
	s, b := stand(t, busy), board{}
	now := time.Now()
	files := 0
	for p, err := range s.client.EachPastRoom(t.Context(), plugnmeet.PastQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		if e, over := p.Event("default", now); over {
			b.apply([]room.Event{e})
		}
		if p.Running() {
			continue
		}
		for found, err := range s.client.EachArtifact(t.Context(), plugnmeet.PastQuery{SID: p.SID}) {
			if err != nil {
				t.Fatal(err)
			}
			b.apply([]room.Event{found.Event("default", p.SID, now)})
		}
	}
	for r, err := range s.client.EachRecording(t.Context(), plugnmeet.PastQuery{}) {
		if e, ok := r.Event("default", now); err != nil || !ok || e.Job.SizeBytes == 0 || e.SID == "" {
			t.Errorf("%+v, %v", r, err)
		}
		files++
	}
	for _, want := range busy() {
		for _, r := range want.Recordings {
			if r.State == room.RecordingReady {
				files--
			}
		}
		if want.State != room.StateEnded {
			if b[want.SID] != nil {
				t.Errorf("%s runs, and is among the past", want.RoomID)
			}
			continue
		}
		got := b[want.SID].Detail()
		if got.State != room.StateEnded || !got.EndedAt.Equal(want.EndedAt.Truncate(time.Second)) || got.EndedBy != room.ByReconcile ||
			!got.CreatedAt.IsZero() || got.Title != want.Title || len(got.Artifacts) != len(want.Artifacts) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
		for _, a := range got.Artifacts {
			i := slices.IndexFunc(want.Artifacts, func(w room.Artifact) bool { return w.ArtifactID == a.ArtifactID })
			a.CreatedAt = want.Artifacts[i].CreatedAt
			if !reflect.DeepEqual(a, want.Artifacts[i]) {
				t.Errorf("got  %+v\nwant %+v", a, want.Artifacts[i])
			}
		}
	}
	if files != 0 {
		t.Errorf("%d recordings too many", files)
	}
}

func TestAnUnsignedOrWronglySignedCallIsRefused(t *testing.T) {
	s := stand(t, busy)
	body := []byte(`{}`)
	for name, headers := range map[string]map[string]string{
		"unsigned":            {},
		"no signature":        {"API-KEY": "key"},
		"no key":              {"HASH-SIGNATURE": plugnmeet.SignCall(secret, body)},
		"another key":         {"API-KEY": "other", "HASH-SIGNATURE": plugnmeet.SignCall(secret, body)},
		"another secret":      {"API-KEY": "key", "HASH-SIGNATURE": plugnmeet.SignCall(secret+"!", body)},
		"another body":        {"API-KEY": "key", "HASH-SIGNATURE": plugnmeet.SignCall(secret, []byte(`{} `))},
		"in capitals":         {"API-KEY": "key", "HASH-SIGNATURE": strings.ToUpper(plugnmeet.SignCall(secret, body))},
		"a token as delivery": {"API-KEY": "key", "Authorization": "x"},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/auth/room/getActiveRoomsInfo", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for header, value := range headers {
			request.Header.Set(header, value)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(response.Body)
		if response.Body.Close(); err != nil || response.StatusCode != 401 || !bytes.Contains(text, []byte(`"status":false`)) {
			t.Errorf("%s: %d %s", name, response.StatusCode, text)
		}
	}
	for _, wrong := range []*plugnmeet.API{ask(t, s.url, "other", secret), ask(t, s.url, "key", secret+"!")} {
		if _, err := wrong.ActiveRooms(t.Context()); !errors.Is(err, plugnmeet.ErrRefused) {
			t.Error(err)
		}
	}
}

func TestNothingIsAFailureOnTheWireAndNoneHere(t *testing.T) {
	for _, old := range []bool{false, true} {
		s := stand(t, func() []room.Detail { return nil })
		s.Old = old
		if p := s.poll(t); !p.None || p.Hollow() || len(p.Rooms) != 0 {
			t.Errorf("%+v", p)
		}
		past, err := s.client.PastRooms(t.Context(), plugnmeet.PastQuery{})
		if err != nil || len(past.Items) != 0 {
			t.Error(past, err)
		}
		if files, err := s.client.Recordings(t.Context(), plugnmeet.PastQuery{}); err != nil || len(files.Items) != 0 {
			t.Error(files, err)
		}
		if found, err := s.client.Artifacts(t.Context(), plugnmeet.PastQuery{}); err != nil || len(found.Items) != 0 {
			t.Error(found, err)
		}
		if active, err := s.client.RoomActive(t.Context(), "room01"); active || err != nil {
			t.Error(active, err)
		}
	}
}

func TestAnOldPlugNmeetTellsTheSame(t *testing.T) {
	s := stand(t, busy)
	rooms := s.poll(t).Rooms
	if s.Old = true; !reflect.DeepEqual(s.poll(t).Rooms, rooms) {
		t.Error("not the same")
	}
}

// Whatever goes wrong must not look like an answer by which rooms or people are gone (faults 28).
func TestAFaultIsAnErrorAndNoEmptyList(t *testing.T) {
	for fault, want := range map[simulate.Fault]error{
		simulate.DatabaseDown: plugnmeet.ErrFailed, simulate.Broken: plugnmeet.ErrUnreachable, simulate.Overloaded: plugnmeet.ErrUnreachable,
		simulate.WrongPlace: plugnmeet.ErrNonsense, simulate.Elsewhere: plugnmeet.ErrNonsense, simulate.Endless: plugnmeet.ErrTooLarge,
	} {
		leavesNothing(t)
		s := stand(t, busy)
		s.Suffer(fault)
		_, rooms := s.client.ActiveRooms(t.Context())
		_, active := s.client.RoomActive(t.Context(), "room01")
		for _, err := range []error{rooms, active} {
			if !errors.Is(err, want) || strings.Contains(err.Error(), "Access denied") {
				t.Errorf("fault %d: %v", fault, err)
			}
		}
		if slices.ContainsFunc(s.paths, func(path string) bool { return !strings.HasPrefix(path, "/auth/") }) {
			t.Errorf("fault %d: called %q", fault, s.paths)
		}
		s.Suffer(simulate.NoFault)
		if s.poll(t); s.Calls() != 3 {
			t.Error(s.Calls())
		}
	}
}

func TestAHangingAPIIsNotWaitedFor(t *testing.T) {
	leavesNothing(t)
	s := stand(t, busy)
	s.Suffer(simulate.Hanging)
	hasty, err := plugnmeet.NewAPI(plugnmeet.APISettings{ServerURL: s.url, APIKey: "key", Secret: secret, Timeout: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer hasty.Close()
	if _, err = hasty.ActiveRooms(t.Context()); !errors.Is(err, plugnmeet.ErrUnreachable) || !strings.Contains(err.Error(), "in time") {
		t.Error(err)
	}
}

func TestWhatIsLeftOutUnderSuccessCanBeSeenIfItIsAll(t *testing.T) {
	s := stand(t, busy)
	open := running(busy())
	people := func(p plugnmeet.Poll) (n int) {
		for _, r := range p.Rooms {
			n += len(r.Attendees)
		}
		return n
	}
	whole := people(s.poll(t))
	for _, c := range []struct {
		fault        simulate.Fault
		rooms        int
		none, hollow bool
	}{
		{simulate.NoRooms, 0, true, false}, // cannot be told from the truth: two polls must agree
		{simulate.AllOmitted, 0, false, true},
		{simulate.HalfOmitted, (len(open) + 1) / 2, false, false},
		{simulate.Deserted, len(open), false, false},
		{simulate.HalfDeserted, len(open), false, false},
	} {
		s.Suffer(c.fault)
		p := s.poll(t)
		if len(p.Rooms) != c.rooms || p.None != c.none || p.Hollow() != c.hollow {
			t.Errorf("fault %d: %d rooms, none %v, hollow %v", c.fault, len(p.Rooms), p.None, p.Hollow())
		}
		if n := people(p); c.fault == simulate.HalfDeserted && (n < whole/2 || n > whole*3/4) || c.fault == simulate.Deserted && n != 0 {
			t.Errorf("fault %d: %d of %d people", c.fault, n, whole)
		}
		for i, r := range p.Rooms {
			if c.fault == simulate.Deserted && r.Hollow() != (open[i].People+open[i].Bots > 0) {
				t.Errorf("%s: hollow %v", r.RoomID, r.Hollow())
			}
		}
	}
}

func TestARoomThatIsEndedByTheAPIIsToldOf(t *testing.T) {
	life, _ := lived(t, simulate.Plan{Seed: 23, Rooms: 3}, 30*time.Minute)
	var mu sync.Mutex
	s := stand(t, func() []room.Detail {
		mu.Lock()
		defer mu.Unlock()
		return life.Truth()
	})
	victim := running(life.Truth())[0]
	if err := s.client.EndRoom(t.Context(), victim.RoomID); !errors.Is(err, plugnmeet.ErrUnknown) {
		t.Error("none can be ended, but:", err)
	}
	s.End = func(roomID string) bool {
		mu.Lock()
		defer mu.Unlock()
		return life.End(roomID)
	}
	if active, err := s.client.RoomActive(t.Context(), victim.RoomID); !active || err != nil {
		t.Error(active, err)
	}
	if err := s.client.EndRoom(t.Context(), victim.RoomID); err != nil {
		t.Fatal(err)
	}
	if active, err := s.client.RoomActive(t.Context(), victim.RoomID); active || err != nil {
		t.Error(active, err)
	}
	var told []string
	for d := range life.Until(life.Now().Add(time.Second)) {
		if d.RoomID == victim.RoomID {
			told = append(told, d.Event)
		}
	}
	if !slices.Contains(told, "session_ended") || !slices.Contains(told, "room_finished") {
		t.Errorf("told %q", told)
	}
	if err := s.client.EndRoom(t.Context(), "no such room"); !errors.Is(err, plugnmeet.ErrUnknown) {
		t.Error(err)
	}
}

// Contract 5.4b: who is on the phone or translates is not told to leave, and plugNmeet waits for them.
func TestAnEndIsTenSecondsLateWhileACallerOrATranslatorIsInside(t *testing.T) {
	life, _ := lived(t, simulate.Plan{Seed: 21, Rooms: 12, Memory: 1 << 20}, 2*time.Hour)
	waits := func(d room.Detail) bool {
		return d.People > 1 && slices.ContainsFunc(d.Participants, func(p room.Participant) bool { return p.Online && (p.Kind == "sip" || p.Kind == "translator") })
	}
	open := running(life.Truth())
	i := slices.IndexFunc(open, waits)
	if i < 0 {
		t.Fatal("nobody is on the phone anywhere")
	}
	victim, asked := open[i], life.Now()
	truth := func() room.Detail {
		all := life.Truth()
		return all[slices.IndexFunc(all, func(d room.Detail) bool { return d.SID == victim.SID })]
	}
	for range 2 { // it goes on for a while, so it can be asked again
		if !life.End(victim.RoomID) {
			t.Error("it cannot be asked to end")
		}
	}
	told := make(map[string]time.Duration) // when it came last
	until := func(after time.Duration) {
		for d := range life.Until(asked.Add(after)) {
			if d.RoomID == victim.RoomID {
				told[d.Event] = d.At.Sub(asked)
			}
		}
	}
	persons := func(d room.Detail) (n int) {
		for _, p := range d.Participants {
			if p.Online && p.Kind == "person" {
				n++
			}
		}
		return n
	}
	for _, after := range []time.Duration{time.Second, 9 * time.Second} {
		until(after)
		if d := truth(); d.State != room.StateLive || persons(d) != 0 || told["participant_left"] == 0 || told["session_ended"] != 0 {
			t.Errorf("after %v it is %s with %d people: %v", after, d.State, persons(d), told)
		}
	}
	until(12 * time.Second)
	if d := truth(); d.State != room.StateEnded || told["session_ended"] < 10*time.Second || told["room_finished"] == 0 {
		t.Errorf("after twelve seconds it is %s: %v", d.State, told)
	}
}

func TestDownloadsAreGivenOutByTokenAlone(t *testing.T) {
	s := stand(t, busy)
	var urls []string
	for _, d := range busy() {
		for _, r := range d.Recordings {
			switch u, err := s.client.RecordingURL(t.Context(), r.RecordID); {
			case r.FilePath == "" && !errors.Is(err, plugnmeet.ErrUnknown):
				t.Error(err)
			case r.FilePath != "" && err != nil:
				t.Error(err)
			case err == nil:
				urls = append(urls, u)
			}
		}
		for _, a := range d.Artifacts {
			u, err := s.client.ArtifactURL(t.Context(), a.ArtifactID)
			if (err == nil) != (a.File != nil) || err != nil && !errors.Is(err, plugnmeet.ErrFailed) {
				t.Error(a.Type, err)
			}
			if err == nil {
				urls = append(urls, u)
			}
		}
	}
	if len(urls) < 2 {
		t.Fatal(urls)
	}
	for u, want := range map[string]int{urls[0]: 200, urls[len(urls)-1]: 200, urls[0] + "0": 401, s.url + "/download/recording/": 401, s.url + "/download/recording/bm8.x": 401} {
		response, err := http.Get(u)
		if err != nil {
			t.Fatal(err)
		}
		if response.Body.Close(); response.StatusCode != want {
			t.Errorf("%s: %d", u, response.StatusCode)
		}
	}
}

func TestAStandInsClockMayBeWrong(t *testing.T) {
	s := stand(t, busy)
	for _, ahead := range []time.Duration{-time.Minute, time.Minute} {
		if s.Ahead = ahead; (s.poll(t).Skew - ahead).Abs() > 2*time.Second {
			t.Error(ahead, s.poll(t).Skew)
		}
	}
}

// raw is an answer's text.
func (s *standIn) raw(t *testing.T, call, body string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/auth/"+call, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("API-KEY", "key")
	request.Header.Set("HASH-SIGNATURE", plugnmeet.SignCall(secret, []byte(body)))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The oddities of contract 5.1 to 5.4 are on the wire, and so is what must not leave the client.
func TestTheStandInHasPlugNmeetsOddities(t *testing.T) {
	s := stand(t, busy)
	for call, oddities := range map[string][]string{
		"room/getActiveRoomsInfo": {`"status":true`, `"joined_participants":"`, `"creation_time":"`, `"is_running":1`, `"raised_hand":null`, `"tracks":[]`,
			`encryption_key`, simulate.SecretWebhook, `"identity":"RECORDER_BOT"`, `"is_raised\":true`, `"muted":true`, `"muted":false`},
		"room/fetchPastRooms": {`"total_rooms":"`, `"ended":"0001-01-01T00:00:00Z"`, `"from":0`, simulate.SecretWebhook},
		"recording/fetch":     {`"total_recordings":"`, `"room_creation_time":"`, `"limit":20`},
		"artifact/fetch":      {`"total_artifacts":"`, `"from":"0"`, `"limit":"20"`},
	} {
		text := s.raw(t, call, `{}`)
		for _, oddity := range oddities {
			if !strings.Contains(text, oddity) && !strings.Contains(strings.ReplaceAll(text, `\"`, `"`), oddity) {
				t.Errorf("%s has no %s", call, oddity)
			}
		}
	}
	if text := s.raw(t, "room/isRoomActive", `not JSON`); !strings.Contains(text, "INVALID_PARAMETERS") {
		t.Error(text)
	}
	if text := s.raw(t, "room/noSuchCall", `{}`); strings.Contains(text, "status") {
		t.Error(text)
	}
}
