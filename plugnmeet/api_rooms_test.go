package plugnmeet_test

import (
	"net/http"
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/room"
)

func poll(tb testing.TB, body string) plugnmeet.Poll {
	tb.Helper()
	p, err := client(tb, says(200, body)).ActiveRooms(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// contractsExample is the answer of contract 5.3 with the metadata of 2.8 and 2.9, an encryption key added.
func contractsExample(tb testing.TB) string {
	tb.Helper()
	body, err := os.ReadFile("testdata/api/active_rooms.json")
	if err != nil {
		tb.Fatal(err)
	}
	return string(body)
}

const anasSID = "0d6a7c1e-5f0b-4a39-9c55-2f6d0f3a9b11"

func TestTheContractsExampleIsRead(t *testing.T) {
	p := poll(t, contractsExample(t))
	want := []plugnmeet.ActiveRoom{{
		SID: anasSID, RoomID: "room01", Title: "Weekly ops", Created: 1795309200_000, PlannedMinutes: 60, Joined: 2,
		Attendees: []plugnmeet.Attendee{{
			ParticipantSaid: room.ParticipantSaid{SID: "PA_8fKq2LmX9vTz", Identity: "u-1001", Name: "Ana Díaz", JoinedAt: 1795309211_417},
			State:           "ACTIVE", Admin: true, Presenter: true, HandRaised: true, HandRaisedAt: 1795309300_123,
		}},
	}}
	if !reflect.DeepEqual(p.Rooms, want) || p.None || p.Hollow() || p.Unreadable != 0 || p.Source != "default" {
		t.Errorf("%+v", p)
	}
}

func TestAPollBecomesFactsOfSessionsConnectionsAndTracks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the clock stands at the year 2000
		track := `{"sid":"TR_AM1","type":"AUDIO","source":"MICROPHONE","muted":true,"mime_type":"audio/red","width":0,"height":0,"simulcast":false,"encryption":"GCM"}`
		p := poll(t, strings.Replace(contractsExample(t), `"tracks":[]`, `"tracks":[`+track+`]`, 1))
		now := room.At(time.Now())
		said := func(id string, e room.Event) room.Event {
			e.Source, e.SID, e.RoomID, e.Kind, e.ID = "default", anasSID, "room01", room.KindListed, "api:946684800000:"+id
			e.At, e.AliveAt, e.Received = now, now-1, now
			return e
		}
		want := []room.Event{
			said(anasSID, room.Event{Title: "Weekly ops", CreationTime: 1795309200_000, PlannedMinutes: 60}),
			said("PA_8fKq2LmX9vTz", room.Event{Participant: &room.ParticipantSaid{SID: "PA_8fKq2LmX9vTz", Identity: "u-1001", Name: "Ana Díaz", JoinedAt: 1795309211_417,
				Roles: &room.Roles{Admin: true, Presenter: true, HandRaised: true}}}),
			said("TR_AM1", room.Event{Participant: &room.ParticipantSaid{SID: "PA_8fKq2LmX9vTz", Identity: "u-1001"},
				Track: &room.TrackSaid{SID: "TR_AM1", Source: "microphone", Mime: "audio/red", Encryption: "GCM", Muted: new(true)}}),
		}
		if got := p.Events(); !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	})
}

func TestAnOddMemberCostsNothingElse(t *testing.T) {
	for _, c := range []struct{ name, from, to string }{
		{"numbers instead of texts", `"creation_time":"1795309200"`, `"creation_time":1795309200`},
		{"texts instead of numbers", `"is_running":1`, `"is_running":"1"`},
		{"a counter as a number", `"joined_participants":"2"`, `"joined_participants":2`},
		{"members of later times", `"webhook_url":""`, `"webhook_url":"", "shape":{"of":["things",{"to":"come"}]}`},
		{"an object for a text", `"webhook_url":""`, `"webhook_url":{"a":1}`},
		{"a missing list", `"tracks":[], `, ``},
		{"null for a list", `"tracks":[]`, `"tracks":null`},
		{"an object for a list", `"tracks":[]`, `"tracks":{}`},
		{"what is no track among tracks", `"tracks":[]`, `"tracks":[null,1,"x",[],{}]`},
		{"a time that cannot be", `"joined_at_ms":"1795309211417"`, `"joined_at_ms":"1795309211417", "x":0`},
		{"an enum by its number", `"state":"ACTIVE"`, `"state":2`},
		{"an enum's zero value by its number", `"kind":"STANDARD"`, `"kind":0`},
		{"a missing permission", `"recorder":false`, `"recorder":"perhaps"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			example := contractsExample(t)
			if !strings.Contains(example, c.from) {
				t.Fatal("the example has no " + c.from)
			}
			if p := poll(t, strings.Replace(example, c.from, c.to, 1)); !reflect.DeepEqual(p.Rooms, poll(t, example).Rooms) || p.Unreadable != 0 {
				t.Errorf("%+v", p)
			}
		})
	}
}

func TestMetadataThatCannotBeReadCostsOnlyWhatItWouldSay(t *testing.T) {
	for _, metadata := range []string{`""`, `null`, `7`, `"not JSON"`, `"[]"`, `"{\"is_admin\":"`, `"` + strings.Repeat("[", 500) + `"`} {
		p := poll(t, `{"status":true,"rooms":[{"room_info":{"sid":"s","room_title":"Ops","metadata":`+metadata+`},
			"participants_info":[{"sid":"PA_1","identity":"u1","metadata":`+metadata+`}]}]}`)
		want := []plugnmeet.ActiveRoom{{SID: "s", Title: "Ops", Attendees: []plugnmeet.Attendee{{ParticipantSaid: room.ParticipantSaid{SID: "PA_1", Identity: "u1"}}}}}
		if !reflect.DeepEqual(p.Rooms, want) {
			t.Errorf("%s: %+v", metadata, p.Rooms)
		}
	}
}

func TestAnEntryWithoutItsIDIsLeftOutAndCounted(t *testing.T) {
	p := poll(t, `{"status":true,"rooms":[{},{"room_info":{"room_id":"room01"}},null,{"room_info":{"sid":"`+strings.Repeat("s", 300)+`"}},
		{"room_info":{"sid":"s"},"participants_info":[{"sid":"PA_1"},{"identity":"u1"},{"sid":"PA_2","identity":"u2"}]},{"room_info":{"sid":"s"}}]}`)
	if len(p.Rooms) != 1 || len(p.Rooms[0].Attendees) != 1 || p.Unreadable != 5 {
		t.Errorf("%+v", p)
	}
}

// A room is left out when NATS has lost it, attendees when LiveKit does not answer: plugNmeet says success.
func TestAPollTellsWhatLooksLikeNobodyButMayBeAFailure(t *testing.T) {
	for _, c := range []struct {
		name, body                     string
		none, hollowPoll, hollowInside bool
	}{
		{"no session runs", `{"status":false,"msg":"no active room found","status_code":"NOT_FOUND","rooms":[]}`, true, false, false},
		{"sessions run, none is listed", `{"status":true,"rooms":[]}`, false, true, false},
		{"the list is missing", `{"status":true}`, false, true, false},
		{"nobody is listed where two are counted", `{"status":true,"rooms":[{"room_info":{"sid":"s","joined_participants":"2"},"participants_info":[]}]}`, false, false, true},
		{"nobody is there", `{"status":true,"rooms":[{"room_info":{"sid":"s","joined_participants":"0"},"participants_info":[]}]}`, false, false, false},
	} {
		p := poll(t, c.body)
		hollow := len(p.Rooms) == 1 && p.Rooms[0].Hollow()
		if p.None != c.none || p.Hollow() != c.hollowPoll || hollow != c.hollowInside {
			t.Errorf("%s: %+v", c.name, p)
		}
	}
}

func TestWhoIsNotFullyConnectedIsNoFact(t *testing.T) {
	for state, counts := range map[string]bool{`"ACTIVE"`: true, `2`: true, `""`: true, `null`: true, `"JOINING"`: false, `"JOINED"`: false, `0`: false, `"DISCONNECTED"`: false, `"ASLEEP"`: false} {
		p := poll(t, `{"status":true,"rooms":[{"room_info":{"sid":"s"},"participants_info":[{"sid":"PA_1","identity":"u1","state":`+state+`,"tracks":[{"sid":"TR_1"}]}]}]}`)
		if got := len(p.Events()) == 3; got != counts || len(p.Rooms[0].Attendees) != 1 {
			t.Errorf("%s: %+v", state, p.Events())
		}
	}
}

// LiveKit's own list has the + that participant_joined has not: it must not make two people of one.
func TestACallerIsListedAsAnnounced(t *testing.T) {
	p := poll(t, `{"status":true,"rooms":[{"room_info":{"sid":"s"},"participants_info":[{"sid":"PA_1","identity":"sip_+15550100","kind":"SIP"},
		{"sid":"PA_2","identity":"a+b@example.org","kind":"STANDARD"}]}]}`)
	if a := p.Rooms[0].Attendees; a[0].Identity != "sip_15550100" || a[0].Kind != "SIP" || a[1].Identity != "a+b@example.org" {
		t.Errorf("%+v", a)
	}
}

func TestSecretsOfARoomAreNotTakenOver(t *testing.T) {
	body := strings.Replace(contractsExample(t), `"webhook_url":""`, `"webhook_url":"https://h.example.org/the-key"`, 1)
	if !strings.Contains(body, "the-key") {
		t.Fatal("no secret in the example")
	}
	if p := poll(t, body); strings.Contains(strings.Join(texts(reflect.ValueOf(p), reflect.ValueOf(p.Events())), " "), "the-key") {
		t.Errorf("%+v", p)
	}
}

// texts are all texts in the values.
func texts(values ...reflect.Value) (all []string) {
	for _, v := range values {
		switch v.Kind() {
		case reflect.String:
			all = append(all, v.String())
		case reflect.Pointer:
			if !v.IsNil() {
				all = append(all, texts(v.Elem())...)
			}
		case reflect.Slice:
			for i := range v.Len() {
				all = append(all, texts(v.Index(i))...)
			}
		case reflect.Struct:
			for i := range v.NumField() {
				all = append(all, texts(v.Field(i))...)
			}
		}
	}
	return all
}

const oneRoom = `{"status":true,"rooms":[{"room_info":{"sid":"s","room_id":"r"},"participants_info":[{"sid":"PA_1","identity":"u1"}]}]}`

// Webhooks tell ends in whole seconds: an end of 12:00:05 may have been at 12:00:05.9, after a poll of 12:00:05.4.
func TestAnEndInTheSecondOfThePollIsNotUndone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(5400 * time.Millisecond)
		events := poll(t, oneRoom).Events()
		second := room.At(time.Now().Truncate(time.Second))
		for _, c := range []struct {
			left   room.Time
			online bool
		}{{second - 1000, true}, {second, false}, {second + 1000, false}} {
			s := room.New(room.Key{Source: "default", SID: "s"})
			for _, e := range events {
				s.Apply(e)
			}
			s.Apply(room.Event{Source: "default", SID: "s", ID: "left", Kind: room.KindParticipantLeft, At: c.left,
				Participant: &room.ParticipantSaid{SID: "PA_1", Identity: "u1"}})
			if d := s.Detail(); (d.People == 1) != c.online || d.State != room.StateLive || d.Trust != room.TrustConfirmed {
				t.Errorf("left at %d: %+v", c.left-second, d)
			}
		}
	})
}

// Were our clock ahead, ends that come after the poll would look older than it.
func TestAPollIsDatedByTheSourcesClockIfThatIsBehind(t *testing.T) {
	for _, ahead := range []time.Duration{-20 * time.Second, -time.Second, 0, time.Second, 20 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			p, err := client(t, answers(func(request *http.Request) (*http.Response, error) {
				response, err := says(200, oneRoom)(request)
				response.Header.Set("Date", time.Now().Add(ahead).UTC().Format(http.TimeFormat))
				return response, err
			})).ActiveRooms(t.Context())
			now := room.At(time.Now())
			behind := p.At() <= now+room.Time(ahead.Milliseconds())+1000
			if err != nil || p.At() > now || p.AliveAt() >= p.At() || !behind || ahead.Abs() <= time.Second && (p.Skew != 0 || p.At() != now) ||
				ahead.Abs() > time.Second && (p.Skew-ahead).Abs() > time.Second {
				t.Errorf("ahead %v: skew %v, at %d of %d, alive at %d", ahead, p.Skew, p.At(), now, p.AliveAt())
			}
		})
	}
}

func TestTwoPollsNeverShareAnID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := make(map[string]bool)
		for range 3 {
			for _, e := range poll(t, oneRoom).Events() {
				if seen[e.ID] {
					t.Error(e.ID)
				}
				seen[e.ID] = true
			}
			time.Sleep(time.Millisecond)
		}
	})
}
