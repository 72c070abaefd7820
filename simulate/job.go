package simulate

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// outcome is what becomes of a recording or a stream.
type outcome int

const (
	succeeds       outcome = iota
	breaks                 // the recorder fails while it works
	failsToStart           // ended without having started
	failsInTheMill         // no file, since transcoding failed
	vanishes               // ended well, but nothing is ever heard of a file
)

// outcomes of the first recordings of a life, then in turn: a day shows them all, and mostly success.
var outcomes = map[int]outcome{2: failsInTheMill, 5: vanishes, 8: breaks, 12: failsToStart}

const outcomesRepeat = 75

// job is a recording or a stream.
type job struct {
	session *session
	kind    string // recording or rtmp, as in the events' names
	id      string
	node    string
	bot     *connection
	outcome outcome
	bitrate float64 // bytes a second

	state                 string
	message, path         string
	hundredths            int64 // of a megabyte
	started, ended, ready time.Time
}

func (s *session) jobs() []*job {
	return append(s.recordings[:len(s.recordings):len(s.recordings)], s.streams...)
}

// record is one recording, sometimes followed by another.
func (s *session) record(length time.Duration) {
	d, n := s.life.dice, s.life.recorded
	if s.has(recorderBot.identity) {
		return
	}
	s.life.recorded++
	r := s.newJob("recording", outcomes[n%outcomesRepeat])
	s.recordings = append(s.recordings, r)
	if r.outcome == failsToStart {
		r.end("recorder: could not join the room in time")
		return
	}
	r.start(recorderBot, func(m *metadata) { m.Recording = true })
	r.after(r.lasting(length), func() {
		r.finish()
		if d.chance(0.3) {
			s.after(d.between(time.Minute, 5*time.Minute), func() { s.record(length) })
		}
	})
}

// lasting is how long the job goes on, if the meeting does. What breaks does so soon.
func (j *job) lasting(length time.Duration) time.Duration {
	d := j.session.life.dice
	if j.outcome == breaks {
		return d.between(20*time.Second, 90*time.Second)
	}
	return 3*time.Minute + d.between(0, length)
}

// stream is an RTMP broadcast. The second one of a life and every seventh after it breaks.
func (s *session) stream(length time.Duration) {
	n := s.life.streamed
	if s.has(rtmpBot.identity) {
		return
	}
	s.life.streamed++
	st := s.newJob("rtmp", succeeds)
	if n%7 == 1 {
		st.outcome = breaks
	}
	s.streams = append(s.streams, st)
	st.start(rtmpBot, func(m *metadata) { m.Streaming = true })
	st.after(st.lasting(length), st.finish)
}

func (s *session) newJob(kind string, outcome outcome) *job {
	d := s.life.dice
	return &job{
		session: s, kind: kind, outcome: outcome, id: s.sid + "-" + milliseconds(s.life.now),
		node: "node_0" + strconv.Itoa(d.IntN(3)+1), bitrate: 80_000 + 220_000*d.Float64(),
	}
}

// start sends the bot in; the recorder reports a moment later.
func (j *job) start(bot *person, note func(*metadata)) {
	s, d := j.session, j.session.life.dice
	j.bot = s.admit(bot)
	s.change(note)
	j.bot.after(d.between(200*time.Millisecond, 1500*time.Millisecond), func() {
		j.started, j.state = s.life.now, room.RecordingActive
		if j.kind == "rtmp" {
			j.state = room.StreamLive
		}
		j.tell("start_"+j.kind, "success")
	})
}

// running: it was told to have started and not to have ended.
func (j *job) running() bool { return !j.started.IsZero() && j.ended.IsZero() }

// after lets f happen if the job runs then.
func (j *job) after(d time.Duration, f func()) {
	j.session.after(d, func() {
		if j.running() {
			f()
		}
	})
}

// finish is the end that the job comes to by itself or by a host.
func (j *job) finish() {
	message := "success"
	switch {
	case j.outcome == breaks && j.kind == "rtmp":
		message = "ffmpeg exited: exit status 1"
	case j.outcome == breaks:
		message = "browser crashed"
	}
	j.stop(message)
}

// stop takes the bot out and lets the recorder report, if the job runs.
func (j *job) stop(message string) {
	if !j.running() {
		return
	}
	if j.bot.open() {
		j.bot.leave("CLIENT_INITIATED")
	}
	j.end(message)
	if j.kind == "recording" && message == "success" {
		j.process()
	}
}

// interrupt is the end of the session: the recorder has yet to say that it stopped.
func (j *job) interrupt() {
	switch {
	case !j.running():
	case j.kind == "rtmp":
		j.state = room.StreamEnded
	default:
		j.state = room.RecordingProcessing
	}
}

func (j *job) end(message string) {
	s := j.session
	j.ended = s.life.now
	switch {
	case message != "success":
		j.state = room.RecordingFailed // a stream's word, too
	case j.kind == "rtmp":
		j.state = room.StreamEnded
	default:
		j.state = room.RecordingProcessing
	}
	s.change(func(m *metadata) {
		if j.kind == "rtmp" {
			m.Streaming = false
		} else {
			m.Recording = false
		}
	})
	j.tell("end_"+j.kind, message)
}

// process makes a file of a recording, minutes later.
func (j *job) process() {
	l := j.session.life
	length := time.Duration(float64(j.ended.Sub(j.started)) * l.pace)
	l.after(l.dice.between(40*time.Second, 3*time.Minute)+length/10, func() {
		switch j.outcome {
		case vanishes:
		case failsInTheMill:
			j.state = room.RecordingFailed
			j.tell("recording_transcoding_finished", "transcoding failed: exit status 187")
		default:
			j.deliver(length)
		}
	})
}

// deliver tells of the file. That transcoding has finished repeats its path, without its size.
func (j *job) deliver(length time.Duration) {
	j.state, j.ready = room.RecordingReady, j.session.life.now
	j.hundredths = max(1, int64(math.Round(j.bitrate*length.Seconds()/1e4)))
	j.path = fmt.Sprintf("%s/%s/%s.mp4", j.node, j.session.roomID, j.id)
	size := j.hundredths
	j.tell("recording_proceeded", "success")
	j.hundredths = 0
	j.tell("recording_transcoding_finished", "success")
	j.hundredths = size
}

func (j *job) tell(event, message string) {
	j.message = message
	j.session.tell(body{Event: event, Room: j.session.bare(), RecordingInfo: &recordingPart{
		RecordID: j.id, RecorderID: j.node, RecorderMsg: message, FilePath: j.path, FileSize: float64(j.hundredths) / 100,
	}})
}
