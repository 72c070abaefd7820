package live

import (
	"time"

	"github.com/roomwatch/roomwatch/room"
)

// Model is what one view shows at one moment: plain results, ready to be rendered. HTML is a function of
// a model alone, so equal models are equal pages, whoever looks.
type Model interface{ model() }

// SourceState is how one plugNmeet is heard. Its JSON is pinned (design section 5).
type SourceState struct {
	Name           string    `json:"name"`
	LastDeliveryAt time.Time `json:"last_delivery_at,omitzero"`
	ReconciledAt   time.Time `json:"reconciled_at,omitzero"`
	Status         string    `json:"status"`        // waiting: nothing received yet; receiving: something was
	API            string    `json:"api,omitempty"` // waiting, answering, failing: how plugNmeet's API is heard, see APINone
	APISince       time.Time `json:"api_failing_since,omitzero"`
	APIError       string    `json:"api_error,omitempty"`    // why polls fail
	Rooms          int       `json:"rooms,omitempty"`        // that the last good poll listed
	Agreed         int       `json:"rooms_agreed,omitempty"` // of them, those that were known as they are

	Clocks ClockState `json:"clocks,omitzero"` // absent while they were not measured
}

// Overview is the page of live rooms.
type Overview struct {
	Query   RoomQuery // its page is the one that is shown
	Totals  room.Totals
	Rows    []Row // a page of the created and live sessions that match, breakouts under their parent
	Before  int   // how many stand on the pages before
	Matches int   // how many match in all
	Pages   int   // at least 1
	Counts  RoomCounts
	Alarms  []room.Alarm // what needs attention, over all rooms
	AsOf    time.Time    // see Board.AsOf
	Ended   []*room.Summary
	Hour    []room.Sample // the totals of the last hour, one a minute; minutes may be missing
	Sources []SourceState

	Artifacts  []room.FiledArtifact // the newest, as far as they are read
	Recordings []RecordingRow       // the same
	Unread     bool                 // neither was read yet
}

// Row is a session in the list of live rooms. Summaries are never changed once shown: a session that
// changes gets a new one, so the pointer tells whether a row is as it was.
type Row struct {
	*room.Summary
	Breakout   bool      // stands under its parent
	VerifiedAt time.Time // when plugNmeet last listed it, to the grain of pages
	Hour       Hour
}

// Known is what a row says of its session, with when that was last confirmed.
func (r Row) Known() room.Head {
	h := r.Head
	h.VerifiedAt = r.VerifiedAt
	return h
}

// Room is the page of one session. Detail is nil when no session of that sid is known.
type Room struct {
	SID        string
	Detail     *room.Detail
	Parent     *room.Summary   // the session this one is a breakout of, if it is known
	Breakouts  []*room.Summary // by name
	Sources    []SourceState
	AlarmCount int       // how much needs attention, over all rooms
	AsOf       time.Time // see Board.AsOf

	Gaps       []Gap         // in what was received while it lasted
	Span       string        // of the timeline: "", SpanSession or SpanQuarter
	Minute     time.Time     // the clock of the page, in whole minutes
	Deliveries []DeliveryRow // the newest of this session
	More       string        // the cursor of those that follow, "" when these are all
	For        Audience
}

// Sessions is the page of history.
type Sessions struct {
	Query      room.SessionQuery
	Page       room.Page[room.Summary]
	Matches    int           // over all pages; more than room.MaxCount are told as one more
	Day        []room.Sample // the totals of the last day, one a minute; minutes may be missing
	Gaps       []Gap         // of the last day, in what was received
	Minute     time.Time     // the clock of the page, in whole minutes
	Sources    []SourceState
	AlarmCount int       // how much needs attention, over all rooms
	AsOf       time.Time // see Board.AsOf
}

// Recordings is the page of recordings of all sessions.
type Recordings struct {
	Query      room.RecordingQuery
	Rows       []RecordingRow
	Next       string // the cursor of the following page, "" at the end
	Matches    int
	FileDue    time.Duration         // how long after the end of a recording its file is expected
	Counts     []room.RecordingCount // recording and processing now; ready and failed of the last 24 hours
	Minute     time.Time
	Sources    []SourceState
	AlarmCount int       // how much needs attention, over all rooms
	AsOf       time.Time // see Board.AsOf
	NoFiles    bool      // who looks cannot download any
}

// RecordingRow is a recording in a list.
type RecordingRow struct {
	room.FiledRecording
	Due     time.Time // when its file is expected, of one that is being processed
	Overdue bool      // it is past that
}

// Artifacts is the page of the artifacts of all sessions.
type Artifacts struct {
	Query      room.ArtifactQuery
	Page       room.Page[room.FiledArtifact]
	Matches    int
	Days       []room.UsageDay // of the last 14 days, oldest first; days without usage are missing
	Costliest  []room.RoomCost // today, the dearest first
	Minute     time.Time
	Sources    []SourceState
	AlarmCount int       // how much needs attention, over all rooms
	AsOf       time.Time // see Board.AsOf
	NoFiles    bool      // who looks cannot download any
}

// Intake is the page of deliveries.
type Intake struct {
	Query    room.DeliveryQuery
	Rows     []DeliveryRow
	Next     string
	Counts   []room.IntakeCount  // by minute, of the last hour
	Refusals []room.RefusalCount // of the last hour, by reason

	Corrections []DeliveryRow // the newest of the last hour, at most room.MaxLimit
	Minute      time.Time
	Sources     []SourceState
	AlarmCount  int       // how much needs attention, over all rooms
	AsOf        time.Time // see Board.AsOf
}

// DeliveryRow is a delivery in a list, without its body.
type DeliveryRow struct {
	room.Delivery
	Name      string         // of its session: what people call it or, when that is not at hand, its sid
	HasBody   bool           // the body can be asked for by the position
	TakenBack room.TakenBack // of a correction: it turned out to be wrong
}

func (Overview) model()   {}
func (Room) model()       {}
func (Sessions) model()   {}
func (Recordings) model() {}
func (Artifacts) model()  {}
func (Intake) model()     {}

// Element is a part of a page that is sent by itself. It has an id of its own in the document, stands
// under its parent in the order of the model, and contains no other element.
type Element struct {
	ID      string
	Parent  string
	Version any           // comparable; while it is equal, the HTML is too
	Render  func() []byte // the element's own HTML: one tag, with id=ID
}

// Renderer turns models into HTML. It is an interface because views import live for the models above.
type Renderer interface {
	// Elements lists the parts of the page that can change by themselves, parent by parent, in order.
	Elements(Model) []Element
	// Root is the HTML of the view's root (id "view") around the elements' HTML, which is given by parent.
	Root(m Model, inner map[string][]byte) []byte
}
