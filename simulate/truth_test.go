package simulate_test

import (
	"cmp"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/simulate"
)

// board is what the product makes of deliveries.
type board map[string]*room.Session

func (b board) fold(deliveries []room.Delivery) {
	for _, d := range deliveries {
		s := b[d.SID]
		if s == nil {
			s = room.New(room.Key{Source: d.Source, SID: d.SID})
			b[d.SID] = s
		}
		s.Apply(*d.Said)
	}
	b.link()
}

// link tells the sessions of a room_id of each other, as the live board does.
func (b board) link() {
	byRoom := make(map[string][]*room.Session)
	for _, s := range b {
		id := s.Detail().RoomID
		byRoom[id] = append(byRoom[id], s)
	}
	for _, siblings := range byRoom {
		for _, old := range siblings {
			begin := old.Detail().Begin()
			for _, s := range siblings {
				if s.Created().Best().Time().After(begin) {
					old.Succeed(s.SID, s.Created())
				}
			}
		}
	}
}

// plain makes two accounts of a session comparable: same order, and without what only one of them has.
func plain(d room.Detail) room.Detail {
	d.Source, d.KnownBy, d.Trust, d.FirstEventAt, d.LastEventAt, d.PeakPeople = "", "", "", time.Time{}, time.Time{}, 0
	d.LeftOut = 0 // of the straggler only the deliveries tell
	d.Participants = slices.Clone(d.Participants)
	for i, p := range d.Participants {
		p.Connections, p.Tracks = slices.Clone(p.Connections), slices.Clone(p.Tracks)
		for j, c := range p.Connections {
			p.Connections[j] = room.Connection{SID: c.SID, JoinedAt: c.JoinedAt, LeftAt: c.LeftAt, Reason: c.Reason, Open: c.Open}
		}
		for j, t := range p.Tracks {
			p.Tracks[j] = room.Track{SID: t.SID, Source: t.Source, Media: t.Media, Mime: t.Mime, Width: t.Width, Height: t.Height, Simulcast: t.Simulcast,
				Encryption: t.Encryption, Muted: t.Muted, PublishedAt: t.PublishedAt, UnpublishedAt: t.UnpublishedAt, Open: t.Open}
		}
		slices.SortFunc(p.Connections, func(a, b room.Connection) int { return cmp.Compare(a.SID, b.SID) })
		slices.SortFunc(p.Tracks, func(a, b room.Track) int { return cmp.Compare(a.SID, b.SID) })
		d.Participants[i] = p
	}
	slices.SortFunc(d.Participants, func(a, b room.Participant) int { return cmp.Compare(a.Identity, b.Identity) })
	slices.SortFunc(d.Recordings, func(a, b room.Recording) int { return cmp.Compare(a.RecordID, b.RecordID) })
	slices.SortFunc(d.Streams, func(a, b room.Stream) int { return cmp.Compare(a.RecordID, b.RecordID) })
	slices.SortFunc(d.Artifacts, func(a, b room.Artifact) int { return cmp.Compare(a.ArtifactID, b.ArtifactID) })
	return d
}

// differ says where two values differ; times may by less than the second that webhooks round to.
func differ(t *testing.T, path string, got, want reflect.Value) {
	t.Helper()
	if when, is := got.Interface().(time.Time); is {
		expected := want.Interface().(time.Time)
		if when.IsZero() != expected.IsZero() || when.Sub(expected).Abs() >= time.Second {
			t.Errorf("%s: told %v, true is %v", path, when, expected)
		}
		return
	}
	switch got.Kind() {
	case reflect.Struct:
		for i := range got.NumField() {
			if got.Type().Field(i).IsExported() {
				differ(t, path+"."+got.Type().Field(i).Name, got.Field(i), want.Field(i))
			}
		}
	case reflect.Slice:
		if got.Len() != want.Len() {
			t.Errorf("%s: told %d, true are %d: %+v, %+v", path, got.Len(), want.Len(), got, want)
			return
		}
		for i := range got.Len() {
			differ(t, path+"[]", got.Index(i), want.Index(i))
		}
	default:
		if !reflect.DeepEqual(got.Interface(), want.Interface()) {
			t.Errorf("%s: told %+v, true is %+v", path, got, want)
		}
	}
}

// compare stops at the first session that is not as told.
func (b board) compare(t *testing.T, name string, truth []room.Detail) {
	t.Helper()
	if len(b) != len(truth) {
		t.Errorf("%s: told of %d sessions, there were %d", name, len(b), len(truth))
	}
	for _, want := range truth {
		s := b[want.SID]
		if s == nil {
			t.Errorf("%s: nothing was told of %s", name, want.RoomID)
			continue
		}
		differ(t, name+" "+want.RoomID, reflect.ValueOf(plain(s.Detail())), reflect.ValueOf(plain(want)))
		if t.Failed() {
			return
		}
	}
}

// account is what was true at the end of a life, what it told, and what the product reads in that.
type account struct {
	truth []room.Detail
	told  []simulate.Delivery
	read  []room.Delivery
}

func live(t *testing.T, plan simulate.Plan, length time.Duration) (a account) {
	t.Helper()
	keyring := ring(t)
	var life *simulate.Life
	life, a.told = lived(t, plan, length)
	a.truth = life.Truth()
	for _, d := range a.told {
		a.read = append(a.read, decode(t, keyring, d))
	}
	t.Logf("seed %d: %d deliveries, %d sessions", plan.Seed, len(a.told), len(a.truth))
	return a
}

func ring(t *testing.T) *plugnmeet.Keyring {
	t.Helper()
	keyring, err := plugnmeet.NewKeyring([]plugnmeet.Source{{Name: "default", APIKey: "key", Secrets: []plugnmeet.Secret{secret}}})
	if err != nil {
		t.Fatal(err)
	}
	return keyring
}

// decode is what the product makes of a delivery when it is received at once: there must be nothing odd in it.
func decode(t *testing.T, keyring *plugnmeet.Keyring, d simulate.Delivery) room.Delivery {
	t.Helper()
	token, err := plugnmeet.Sign("key", secret, d.Body, d.At)
	if err != nil {
		t.Fatal(err)
	}
	proof, err := keyring.Verify([]string{token}, nil, d.Body, d.At)
	if err != nil {
		t.Fatal(err)
	}
	read, err := plugnmeet.Decode(proof.Source, d.Body, d.At)
	if err != nil || read.Verdict != room.Accepted || read.Reason != "" {
		t.Fatalf("%v, %s, %s: %s", err, read.Verdict, read.Reason, d.Body)
	}
	if read.Event != d.Event || read.RoomID != d.RoomID || read.LagMS < 0 {
		t.Fatalf("%s of %s, lag %d: %s", d.Event, d.RoomID, read.LagMS, d.Body)
	}
	return read
}

var (
	theDay  account
	dawning sync.Once
)

// day is one day that several tests look at.
func day(t *testing.T) account {
	t.Helper()
	dawning.Do(func() { theDay = live(t, simulate.Plan{Seed: 5, Rooms: 8, People: 3}, 5*time.Hour) })
	return theDay
}

func (a account) compare(t *testing.T) {
	t.Helper()
	straight := make(board)
	straight.fold(a.read)
	straight.compare(t, "in order", a.truth)
	order := rand.New(rand.NewPCG(1, 2))
	mixed := append(slices.Clone(a.read), a.read[:len(a.read)/2]...)
	order.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
	crooked := make(board)
	crooked.fold(mixed)
	crooked.compare(t, "shuffled, half of it doubled", a.truth)
}

func TestWhatADayTellsInAnyOrderIsTheTruth(t *testing.T) { day(t).compare(t) }

func TestDisorderAndPaceDoNotChangeTheTruth(t *testing.T) {
	live(t, simulate.Plan{Seed: 2, Rooms: 4, Late: 0.1, Duplicate: 0.1, Shuffle: true}, time.Hour).compare(t)
	live(t, simulate.Plan{Seed: 3, Rooms: 12, People: 2, Pace: 1000}, 7*time.Second).compare(t)
	live(t, simulate.Plan{Seed: 4, Rooms: 1, People: 20}, 25*time.Minute).compare(t)
}

// After these the truth changes in ways that only a later delivery tells.
var moments = []string{"session_ended", "room_finished", "start_recording", "start_rtmp", "end_recording", "end_rtmp", "participant_left"}

func TestTheTruthOfEveryMomentIsTold(t *testing.T) {
	life, keyring, board := simulate.Plan{Seed: 9, Rooms: 8, People: 2, Start: start}.Begin(), ring(t), make(board)
	for life.Now().Before(start.Add(2*time.Hour)) && !t.Failed() {
		var read []room.Delivery
		for d := range life.Until(start.Add(2 * time.Hour)) {
			read = append(read, decode(t, keyring, d))
			if slices.Contains(moments, d.Event) {
				break
			}
		}
		for d := range life.Held() {
			read = append(read, decode(t, keyring, d))
		}
		board.fold(read)
		board.compare(t, life.Now().Format(time.TimeOnly), life.Truth())
	}
}
