package plugnmeet_test

import (
	"errors"
	"testing"

	"github.com/roomwatch/roomwatch/plugnmeet"
)

// FuzzAnswers: whatever comes, it is read or refused by one of the kinds; what is read names what it is about.
func FuzzAnswers(f *testing.F) {
	f.Add(contractsExample(f))
	f.Add(oneRoom)
	f.Add(`{"status":false,"msg":"no active room found","status_code":"NOT_FOUND"}`)
	f.Add(`{"status":true,"result":{"total_artifacts":"1","artifacts_list":[{"artifact_id":"a","type":2,"metadata":{"token_usage":{"breakdown":{"a":"1"}}}}]}}`)
	f.Add(`{"status":true,"rooms":[{"room_info":{"sid":"s","metadata":"{\"room_features\":{\"room_duration\":\"1e400\"}}"},"participants_info":[[[]]]}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		a := client(t, says(200, body))
		p, err := a.ActiveRooms(t.Context())
		var failure *plugnmeet.APIError
		if err != nil && !errors.As(err, &failure) {
			t.Fatal(err)
		}
		for _, e := range p.Events() {
			if e.SID == "" || e.ID == "" || e.Participant != nil && (e.Participant.SID == "" || e.Participant.Identity == "") || e.Track != nil && e.Track.SID == "" {
				t.Fatalf("%+v", e)
			}
		}
		for found, err := range a.EachArtifact(t.Context(), plugnmeet.PastQuery{}) {
			if err == nil && found.ID == "" {
				t.Fatal("no id")
			}
		}
	})
}
