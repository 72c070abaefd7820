package store

import (
	"encoding/json"
	"strconv"

	"github.com/roomwatch/roomwatch/room"
)

// encodeSaid is what an entry says, as JSON. What nearly all deliveries say, that somebody or a track comes or
// goes, is written without reflection.
func encodeSaid(e *room.Event) ([]byte, error) {
	if e.Job != nil || e.Going != "" || e.Artifact != nil || e.Speech != nil || e.Also != nil || e.Corrected != nil || e.Poll != nil || e.Gap != nil || e.Clocks != nil {
		return json.Marshal(e)
	}
	w := saidWriter{out: append(make([]byte, 0, 512), '{')}
	w.text(`"source":`, e.Source, true)
	w.text(`"sid":`, e.SID, false)
	w.text(`"room_id":`, e.RoomID, false)
	w.text(`"id":`, e.ID, true)
	w.number(`"kind":`, int64(e.Kind), true)
	w.text(`"name":`, e.Name, false)
	w.number(`"at":`, int64(e.At), true)
	w.number(`"received":`, int64(e.Received), false)
	w.number(`"creation_time":`, int64(e.CreationTime), false)
	w.number(`"alive_at":`, int64(e.AliveAt), false)
	if e.Skew != nil {
		w.number(`"skew":`, int64(*e.Skew), true)
	}
	w.text(`"title":`, e.Title, false)
	w.text(`"parent_room_id":`, e.ParentRoomID, false)
	w.number(`"empty_timeout":`, int64(e.EmptyTimeout), false)
	w.number(`"max_participants":`, int64(e.MaxParticipants), false)
	w.number(`"planned_minutes":`, int64(e.PlannedMinutes), false)
	w.text(`"analytics_id":`, e.AnalyticsID, false)
	if p := e.Participant; p != nil {
		if p.Roles != nil {
			return json.Marshal(e)
		}
		w.open(`"participant":`)
		w.text(`"sid":`, p.SID, false)
		w.text(`"identity":`, p.Identity, false)
		w.text(`"name":`, p.Name, false)
		w.text(`"kind":`, p.Kind, false)
		w.number(`"joined_at":`, int64(p.JoinedAt), false)
		w.text(`"reason":`, p.Reason, false)
		w.close()
	}
	if t := e.Track; t != nil {
		w.open(`"track":`)
		w.text(`"sid":`, t.SID, true)
		w.text(`"source":`, t.Source, false)
		w.text(`"media":`, t.Media, false)
		w.text(`"mime":`, t.Mime, false)
		w.number(`"width":`, int64(t.Width), false)
		w.number(`"height":`, int64(t.Height), false)
		w.flag(`"simulcast":`, &t.Simulcast, false)
		w.text(`"encryption":`, t.Encryption, false)
		w.flag(`"muted":`, t.Muted, true)
		w.close()
	}
	w.close()
	return w.out, nil
}

// saidWriter writes the members of an object. A zero value is left out unless it is always there.
type saidWriter struct{ out []byte }

func (w *saidWriter) name(quoted string) {
	if w.out[len(w.out)-1] != '{' {
		w.out = append(w.out, ',')
	}
	w.out = append(w.out, quoted...)
}

func (w *saidWriter) open(quoted string) {
	w.name(quoted)
	w.out = append(w.out, '{')
}

func (w *saidWriter) close() { w.out = append(w.out, '}') }

func (w *saidWriter) text(quoted, value string, always bool) {
	if value == "" && !always {
		return
	}
	w.name(quoted)
	for i := 0; i < len(value); i++ {
		if c := value[i]; c < ' ' || c == '"' || c == '\\' {
			escaped, _ := json.Marshal(value) // a text can always be written
			w.out = append(w.out, escaped...)
			return
		}
	}
	w.out = append(append(append(w.out, '"'), value...), '"')
}

func (w *saidWriter) number(quoted string, value int64, always bool) {
	if value != 0 || always {
		w.name(quoted)
		w.out = strconv.AppendInt(w.out, value, 10)
	}
}

func (w *saidWriter) flag(quoted string, value *bool, always bool) {
	if value != nil && (*value || always) {
		w.name(quoted)
		w.out = strconv.AppendBool(w.out, *value)
	}
}
