package web_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/roomwatch/roomwatch/access"
	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/web"
)

const (
	maskedPerson   = "Zoraida-Quintanilla"
	maskedIdentity = "zq-7781"
	maskedCaller   = "15559980123" // the identity of a caller is a phone number
)

// everythingOf is a session in which one person and one caller do all that plugNmeet can tell of anybody.
func everythingOf(sid, roomID string) []string {
	person := fmt.Sprintf(`,"participant":{"sid":"PA_%s","identity":%q,"name":%q,"metadata":"{\"ex_user_id\":\"%[2]s\"}"}`, sid, maskedIdentity, maskedPerson)
	caller := fmt.Sprintf(`,"participant":{"sid":"PB_%s","identity":"sip_%s","name":"+%[2]s","kind":"SIP","attributes":{"sip.phoneNumber":"+%[2]s"}}`, sid, maskedCaller)
	track := fmt.Sprintf(`,"participant":{"sid":"PA_%s","identity":%q},"track":{"sid":"TR_%s","type":"AUDIO","source":"MICROPHONE"}`, sid, maskedIdentity, sid)
	job := fmt.Sprintf(`,"recording_info":{"record_id":"%s-1","recorder_id":"node_01","recorder_msg":"success","file_path":"","file_size":0}`, sid)
	file := strings.Replace(job, `"file_path":"","file_size":0`, `"file_path":"node_01/r/1.mp4","file_size":1.5`, 1)
	stream := strings.Replace(job, sid+"-1", sid+"-2", 1)
	speech := fmt.Sprintf(`,"speech_service":{"user_id":%q,"total_usage":"90"}`, maskedIdentity)
	usage := func(kind, metadata string) string {
		return fmt.Sprintf(`,"room_artifact":{"type":%q,"artifact_id":"%s-%s","metadata":%s}`, kind, sid, kind, metadata)
	}
	of := func(name, more string) string { return event(name, sid, roomID, more) }
	return []string{
		of("room_created", ""), of("room_started", ""), of("participant_joined", person), of("participant_joined", caller),
		of("track_published", track), of("track_unpublished", track), of("participant_left", caller),
		of("start_recording", job), of("end_recording", job), of("recording_transcoding_finished", job), of("recording_proceeded", file),
		of("start_rtmp", stream), of("end_rtmp", stream),
		of("speech_to_text_session_started", speech), of("speech_to_text_session_ended", speech), of("speech_to_text_total_usage", speech),
		of("artifact_created", usage("SPEECH_TRANSCRIPTION_USAGE", `{"duration_usage":{"duration_sec":90,"breakdown":{"total_usage":"90","`+maskedIdentity+`":"60","sip_`+maskedCaller+`":"30"}}}`)),
		of("artifact_created", usage("SYNTHESIZED_SPEECH_USAGE", `{"character_count_usage":{"total_characters":9,"breakdown":{"lang:es":"9","`+maskedIdentity+`":"9"}}}`)),
		of("artifact_created", usage("AI_TEXT_CHAT_INTERACTION_USAGE", `{"token_usage":{"total_tokens":5,"breakdown":{"total_chat_tokens":"5","`+maskedIdentity+`:chat:total":"5","`+maskedIdentity+`:another:total":"5"}}}`)),
		of("artifact_created", usage("MEETING_SUMMARY", `{"file_info":{"file_path":"meeting_summary/a.txt","file_size":"1024","mime_type":"text/plain"}}`)),
		of("analytics_proceeded", fmt.Sprintf(`,"analytics":{"file_id":"%s-a"}`, sid)),
		of("something_new", person),
	}
}

// toldNames are the names of those who are masked that a text tells.
func toldNames(text string) (told []string) {
	for _, name := range []string{maskedPerson, maskedIdentity, maskedCaller} {
		if tells(text, name) {
			told = append(told, name)
		}
	}
	return told
}

// Row 47: every route that answers a GET, every view and every frame, with every kind of data, as those who see
// masked names: a viewer and a machine. What an unmasked machine sees shows that there was something to mask.
func TestFault47NamesAreNowhereForWhomTheyAreMasked(t *testing.T) {
	t.Parallel()
	r := start(t, withLogin(framing, func(a *web.Auth) { a.MaskViewers = true }), func(c *web.Config) { c.Gallery = true })
	bodies := everythingOf("s1", "weekly")
	for kind := room.Kind(1); kind < room.KindListed; kind++ {
		name := kind.String()
		if room.WebhookKind(name) != kind || name == "room_finished" || name == "session_ended" {
			continue // no kind at all; the ends are told of the other session
		}
		if !slices.ContainsFunc(bodies, func(body string) bool { return strings.Contains(body, `"event":"`+name+`"`) }) {
			t.Errorf("there is no %s", name)
		}
	}
	r.taken(bodies...)
	ended := everythingOf("s2", "daily")
	r.taken(append(ended, event("room_finished", "s2", "daily", ""), event("session_ended", "s2", "daily", ""))...)
	r.await("all is in the lists", func() bool {
		page, err := r.record.Artifacts(context.Background(), room.ArtifactQuery{})
		return err == nil && len(page.Items) == 8
	})
	viewer := []string{"Cookie", r.loggedIn(r.user("vi", access.Viewer, ""), 0)}
	machine := []string{"Authorization", "Bearer " + r.apiToken(true, access.Scopes()...)}
	open := []string{"Authorization", "Bearer " + r.apiToken(false, access.Scopes()...)}
	scope := roomScope("weekly")
	scope.Mask = true
	token := minted(t, rigSecret, scope, 0, 0)

	shown := make(map[string]bool) // paths at which an unmasked machine reads a name
	for _, path := range r.server.Addresses() {
		for _, with := range []string{"s1", "s2"} {
			path := strings.NewReplacer(":sid", with, ":id", with+"-1", ":position", "3", ":name", "live.js", ":room_id", "weekly").Replace(path)
			if strings.HasPrefix(path, "/embed") {
				path += "?token=" + token
			}
			shown[path] = len(toldNames(r.get(path, open...).body)) > 0
			for who, headers := range map[string][]string{"viewer": viewer, "machine": machine} {
				if told := toldNames(r.get(path, headers...).body); told != nil {
					t.Errorf("GET %s tells a %s %q", path, who, told)
				}
			}
		}
	}
	for _, path := range []string{"/rooms/s1", "/rooms/s2", "/api/v1/sessions/s1", "/api/v1/artifacts", "/artifacts.json", "/api/v1/deliveries", "/intake.json"} {
		if !shown[path] {
			t.Errorf("%s proves nothing: nobody reads a name there", path)
		}
	}
	views := []string{"overview", "room:s1", live.ViewSessions, live.ViewRecordings, live.ViewArtifacts, live.ViewIntake}
	for _, view := range views {
		for who, headers := range map[string][]string{"viewer": viewer, "machine": machine} {
			s, code := r.dial("view="+view, headers...)
			if s == nil {
				if view != live.ViewIntake || who != "viewer" || code != http.StatusForbidden {
					t.Errorf("%s for a %s: %d", view, who, code)
				}
				continue
			}
			framesTellNobody(t, r, s, view+" for a "+who)
		}
	}
	for _, view := range []string{"embed", "embed-room:weekly"} {
		scope := scope
		if view == "embed" {
			scope.RoomID, scope.All = "", true
		}
		s, code := r.frameAt(view, minted(t, rigSecret, scope, 0, 0))
		if s == nil {
			t.Fatal(view, code)
		}
		framesTellNobody(t, r, s, view)
	}
}

// framesTellNobody reads the first frame, and one that follows when everything happens in another session and somebody
// more comes to the first.
func framesTellNobody(t *testing.T, r *rig, s *socket, what string) {
	t.Helper()
	defer s.Close()
	if told := toldNames(string(s.next().bytes)); told != nil {
		t.Errorf("the first frame of %s tells %q", what, told)
	}
	r.taken(event("participant_joined", "s1", "weekly", fmt.Sprintf(`,"participant":{"sid":"PA_%s","identity":%q,"name":%q}`, what, maskedIdentity+" "+what, maskedPerson)))
	r.taken(everythingOf("news for "+what, "weekly")...)
	if f := s.next(); toldNames(string(f.bytes)) != nil {
		t.Errorf("a frame of %s tells %q", what, toldNames(string(f.bytes)))
	}
}
