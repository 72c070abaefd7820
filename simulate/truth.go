package simulate

import (
	"cmp"
	"strings"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// truth writes the session down in the product's words, so that both accounts can be compared.
func (s *session) truth() room.Detail {
	d := room.Detail{
		Head: room.Head{
			SID: s.sid, RoomID: s.roomID, Title: s.meta.Title, State: s.state(), ParentRoomID: s.meta.ParentRoomID,
			CreatedAt: s.created, StartedAt: s.started, EndedAt: s.ended, EndedBy: s.endedBy,
			EmptyTimeout: emptyTimeout, MaxParticipants: s.limit, PlannedMinutes: s.meta.PlannedMinutes,
		},
		Participants: s.participants(),
		Recordings:   make([]room.Recording, 0, len(s.recordings)),
		Streams:      make([]room.Stream, 0, len(s.streams)),
		Artifacts:    append([]room.Artifact{}, s.artifacts...),
		Analytics:    append([]room.Analytics{}, s.analytics...),
		Speech:       []room.Speech{},
	}
	for _, p := range d.Participants {
		switch {
		case !p.Online:
		case p.Human():
			d.People++
		default:
			d.Bots++
		}
	}
	for _, j := range s.recordings {
		if j.told() {
			d.Recordings = append(d.Recordings, room.Recording{RecordID: j.id, State: j.state, RecorderID: j.node, Message: j.message,
				FilePath: j.path, SizeBytes: j.hundredths * 10_000, StartedAt: j.started, EndedAt: j.ended, ReadyAt: j.ready})
		}
	}
	for _, j := range s.streams {
		if j.told() {
			d.Streams = append(d.Streams, room.Stream{RecordID: j.id, State: j.state, RecorderID: j.node, Message: j.message, StartedAt: j.started, EndedAt: j.ended})
		}
	}
	return d
}

func (s *session) state() room.State {
	switch {
	case s.isOver():
		return room.StateEnded
	case s.started.IsZero():
		return room.StateCreated
	}
	return room.StateLive
}

// told: the recorder has said something of the job.
func (j *job) told() bool { return j.message != "" }

// participants are in the order in which they first came.
func (s *session) participants() []room.Participant {
	all := []room.Participant{}
	at := make(map[string]int)
	for _, c := range s.connections {
		i, known := at[c.who.identity]
		if !known {
			i = len(all)
			at[c.who.identity] = i
			all = append(all, room.Participant{Identity: c.who.identity, Name: c.who.name, Kind: c.who.role, Tracks: []room.Track{}})
		}
		p := &all[i]
		p.Online = p.Online || c.open()
		p.Connections = append(p.Connections, room.Connection{SID: c.sid, JoinedAt: c.joined, LeftAt: s.endOf(c.left), Reason: c.reason, Open: c.open()})
		for _, t := range c.tracks {
			p.Tracks = append(p.Tracks, t.truth())
		}
	}
	return all
}

// endOf is an own end, else that of the session.
func (s *session) endOf(own time.Time) time.Time {
	if own.IsZero() {
		return s.ended
	}
	return own
}

func (t *track) truth() room.Track {
	return room.Track{
		SID: t.wire.SID, Source: strings.ToLower(t.source), Media: cmp.Or(strings.ToLower(t.wire.Type), "audio"), Mime: t.wire.MimeType,
		Width: t.wire.Width, Height: t.wire.Height, Simulcast: t.wire.Simulcast, Muted: t.wire.Muted,
		PublishedAt: t.published, UnpublishedAt: t.connection.session.endOf(t.unpublished), Open: t.open(),
	}
}
