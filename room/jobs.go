package room

import (
	"cmp"
	"slices"
	"time"
)

// States of a recording: ready has its file; failed has a message other than success and no file.
const (
	RecordingActive     = "recording"
	RecordingProcessing = "processing"
	RecordingFailed     = "failed"
	RecordingReady      = "ready"
)

// States of an RTMP stream.
const (
	StreamLive   = "live"
	StreamEnded  = "ended"
	StreamFailed = "failed"
)

// Recording is one recording job (record_id) and its file.
type Recording struct {
	RecordID   string    `json:"record_id"` // "" of one that a check found going on: StartedAt is when it did
	State      string    `json:"state"`
	RecorderID string    `json:"recorder_id,omitempty"`
	Message    string    `json:"message,omitempty"`
	FilePath   string    `json:"file_path,omitempty"`
	SizeBytes  int64     `json:"size_bytes,omitempty"`
	StartedAt  time.Time `json:"started_at,omitzero"`
	EndedAt    time.Time `json:"ended_at,omitzero"`
	ReadyAt    time.Time `json:"ready_at,omitzero"`
	Superseded bool      `json:"superseded,omitempty"` // nothing told of its end; EndedAt is when the next one started
}

// Begin is where the recording stands in time, for lists: the earliest that is known of it.
func (r Recording) Begin() time.Time { return earlier(earlier(r.StartedAt, r.EndedAt), r.ReadyAt) }

// urgency orders the states of recordings by how much they ask to be looked at.
func urgency(state string) int {
	return slices.Index([]string{RecordingReady, RecordingProcessing, RecordingActive, RecordingFailed}, state)
}

// Stream is one RTMP job (record_id).
type Stream struct {
	RecordID   string    `json:"record_id"` // "" as for a Recording
	State      string    `json:"state"`
	RecorderID string    `json:"recorder_id,omitempty"`
	Message    string    `json:"message,omitempty"`
	StartedAt  time.Time `json:"started_at,omitzero"`
	EndedAt    time.Time `json:"ended_at,omitzero"`
	Superseded bool      `json:"superseded,omitempty"` // nothing told of its end; EndedAt is when the next one started
}

// job is what all events say of one record_id. The file comes from recording_proceeded only, because
// recording_transcoding_finished repeats the path with a size of 0 (contract 1.5).
type job struct {
	recorder, message, path string
	size                    int64
	first                   Time
	started, ended, ready   Time
	trouble                 bool // a message other than success at the end or from transcoding
	transcoded              bool
	superseded              bool // ended is when the next one started
	absent                  Time // when a check found that it had ended
}

func jobOf(told Told[JobTold]) (j job) {
	var atEnd, atTranscoding string
	for _, r := range told {
		said := r.Said
		j.first = earliest(j.first, said.Moment)
		j.recorder, j.message = lastSaid(j.recorder, said.RecorderID), lastSaid(j.message, said.Message)
		switch r.Kind {
		case KindRecordingStarted, KindStreamStarted:
			j.started = earliest(j.started, said.Moment)
		case KindAbsent:
			j.absent = earliest(j.absent, said.Moment)
		case KindRecordingEnded, KindStreamEnded:
			j.ended, atEnd = earliest(j.ended, said.Moment), lastSaid(atEnd, said.Message)
		case KindRecordingTranscoded:
			j.transcoded, atTranscoding = true, lastSaid(atTranscoding, said.Message)
		case KindRecordingProceeded, KindListed:
			j.ready = earliest(j.ready, said.Moment)
			j.path, j.size = lastSaid(j.path, said.FilePath), lastSaid(j.size, said.SizeBytes)
		}
	}
	j.trouble = failure(atEnd) || failure(atTranscoding)
	j.ended = cmp.Or(j.ended, j.absent)
	return j
}

// jobsOf are the jobs of a kind. plugNmeet allows one recording and one stream a room at a time, so the start of the
// next is evidence that the one before has ended, if nothing told of that.
func jobsOf(all map[string]Told[JobTold]) map[string]job {
	jobs := make(map[string]job, len(all))
	starts := make([]Time, 0, len(all))
	for id, told := range all {
		j := jobOf(told)
		jobs[id] = j
		if j.started != 0 {
			starts = append(starts, j.started)
		}
	}
	slices.Sort(starts)
	for id, j := range jobs {
		if j.started == 0 || j.ended != 0 || j.transcoded || j.ready != 0 {
			continue
		}
		if next, _ := slices.BinarySearch(starts, j.started+1); next < len(starts) {
			j.ended, j.superseded = starts[next], true
			jobs[id] = j
		}
	}
	return jobs
}

func failure(message string) bool { return message != "" && message != "success" }

func (r *reading) recordings() []Recording {
	out := make([]Recording, 0, len(r.Recordings))
	firsts := make(map[string]Time, len(r.Recordings))
	jobs := jobsOf(r.Recordings)
	for id, j := range jobs {
		rec := Recording{RecordID: id, RecorderID: j.recorder, Message: j.message, FilePath: j.path, SizeBytes: j.size,
			StartedAt: j.started.Time(), EndedAt: j.ended.Time(), ReadyAt: j.ready.Time(), Superseded: j.superseded}
		switch {
		case j.path != "":
			rec.State = RecordingReady
		case j.trouble:
			rec.State = RecordingFailed
		case j.ended != 0, j.transcoded, j.ready != 0, r.state == StateEnded:
			rec.State = RecordingProcessing
		default:
			rec.State = RecordingActive
		}
		firsts[id] = j.first
		out = append(out, rec)
	}
	if since := r.nameless(GoingRecording, jobs); since != 0 {
		firsts[""] = since
		out = append(out, Recording{State: RecordingActive, StartedAt: since.Time()})
	}
	slices.SortFunc(out, func(a, b Recording) int { return byFirst(firsts, a.RecordID, b.RecordID) })
	return out
}

func (r *reading) streams() []Stream {
	out := make([]Stream, 0, len(r.Streams))
	firsts := make(map[string]Time, len(r.Streams))
	jobs := jobsOf(r.Streams)
	for id, j := range jobs {
		st := Stream{RecordID: id, RecorderID: j.recorder, Message: j.message, StartedAt: j.started.Time(), EndedAt: j.ended.Time(),
			Superseded: j.superseded}
		switch {
		case j.trouble:
			st.State = StreamFailed
		case j.ended != 0, r.state == StateEnded:
			st.State = StreamEnded
		default:
			st.State = StreamLive
		}
		firsts[id] = j.first
		out = append(out, st)
	}
	if since := r.nameless(GoingStream, jobs); since != 0 {
		firsts[""] = since
		out = append(out, Stream{State: StreamLive, StartedAt: since.Time()})
	}
	slices.SortFunc(out, func(a, b Stream) int { return byFirst(firsts, a.RecordID, b.RecordID) })
	return out
}

func byFirst(firsts map[string]Time, a, b string) int {
	return cmp.Or(cmp.Compare(firsts[a], firsts[b]), cmp.Compare(a, b))
}
