package plugnmeet_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/roomwatch/roomwatch/room"
)

// secretive is metadata with every secret of contract 2.8 set.
const secretive = `{"room_title":"Weekly ops","welcome_message":"hush-welcome","is_recording":true,"parent_room_id":"","is_breakout_room":false,
	"webhook_url":"https://u:hush-1@e.org/hush-2","logout_url":"https://e.org/?hush-3","started_at":"1795309200","extra_data":{"k":"hush-4"},"future_secret":"hush-5",
	"room_features":{"room_duration":"60","enable_analytics":true,"future":{"key":"hush-6"},
		"ingress_features":{"is_allow":true,"input_type":"RTMP_INPUT","url":"rtmp://hush-7","stream_key":"hush-8"},
		"end_to_end_encryption_features":{"is_enabled":true,"encryption_key":"hush-9"},
		"sip_dial_in_features":{"is_active":true,"pin":"hush-10","dispatch_rule_id":"hush-11","phone_numbers":["hush-12"]},
		"insights_features":{"ai_features":{"meeting_summarization_features":{"is_enabled":true,"summarization_prompt":"hush-13"}}}},
	"copyright_conf":{"text":"hush-14"}}`

const shownOfSecretive = `{"room_title":"Weekly ops","is_recording":true,"parent_room_id":"","is_breakout_room":false,` +
	`"webhook_url":"[redacted]","started_at":"1795309200",` +
	`"room_features":{"room_duration":"60","enable_analytics":true,` +
	`"ingress_features":{"input_type":"RTMP_INPUT","url":"[redacted]","stream_key":"[redacted]"},` +
	`"end_to_end_encryption_features":{"is_enabled":true,"encryption_key":"[redacted]"},` +
	`"sip_dial_in_features":{"is_active":true,"pin":"[redacted]","dispatch_rule_id":"[redacted]"},` +
	`"insights_features":{"ai_features":{"meeting_summarization_features":{"is_enabled":true,"summarization_prompt":"[redacted]"}}}}}`

// everything that is kept or said of a delivery, as text.
func everything(t *testing.T, d room.Delivery) string {
	t.Helper()
	all, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s\n%+v\n%+v\n%+v\n%s", all, d.Said, d.Said.Participant, d.Said.Artifact, d.Reason)
}

func TestSecretsOfMetadataAreNeverKept(t *testing.T) {
	quoted, _ := json.Marshal(secretive)
	camel := strings.NewReplacer("webhook_url", "webhookUrl", "stream_key", "streamKey", "encryption_key", "encryptionKey", "room_features", "roomFeatures").Replace(secretive)
	for form, metadata := range map[string]string{
		"text": string(quoted), "object": secretive, "camelCase": camel, "a list": "[" + secretive + "]",
		"text that is cut off": string(quoted[:len(quoted)-3]) + `"`, "text in a text": string(mustQuote(string(quoted))), "followed by more": string(mustQuote(secretive + "{}")),
		"with a name twice": string(mustQuote(`{"webhook_url":"hush-1","webhook_url":"hush-2"}`)), "just a text": `"hush-1"`, "too deep to be true": string(mustQuote(strings.Repeat("[", 20000) + `"hush-1"`)),
	} {
		d := said(t, about("room_created", `,"metadata":`+metadata, ""))
		if all := everything(t, d); strings.Contains(all, "hush") {
			t.Errorf("%s: %s", form, all)
		}
		var shown struct {
			Room struct{ Metadata map[string]any }
		}
		if err := json.Unmarshal(d.Body, &shown); err != nil {
			t.Errorf("%s: metadata is not an object: %v", form, err)
		}
		if (form == "text" || form == "object") && !strings.Contains(string(d.Body), shownOfSecretive) {
			t.Errorf("%s:\n%s\nlacks\n%s", form, d.Body, shownOfSecretive)
		}
	}
}

func mustQuote(text string) []byte {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return quoted
}

func TestSecretsElsewhereAreNeverKept(t *testing.T) {
	for _, name := range []string{"secret", "token", "password", "pin", "stream_key", "streamKey", "encryption_key", "encryptionKey",
		"webhook_url", "webhookUrl", "authorization", "Authorization", "api_key", "apiKey", "API_KEY", `p\u0069n`} {
		for _, value := range []string{`"hush"`, `1234567`, `["hush"]`, `{"a":"hush"}`} {
			for where, format := range map[string]string{
				"on top": `,"%s":%s`, "in an object": `,"future":{"%s":%s}`, "in a list": `,"future":[1,{"%s":%s}]`, "in the participant": `,"participant":{"sid":"P","%s":%s}`,
			} {
				d := said(t, about("room_created", "", fmt.Sprintf(format, name, value)))
				if body := string(d.Body); strings.Contains(body, "hush") || strings.Contains(body, "1234567") || !strings.Contains(body, `"[redacted]"`) {
					t.Errorf("%s %s %s: %s", name, value, where, body)
				}
			}
		}
	}
}

func TestWhatMayBeKnownOfPeopleIsNotKept(t *testing.T) {
	d := said(t, about("participant_joined", `,"Metadata":"{\"pin\":\"hush\"}"`, `,"participant":{"sid":"P","identity":"sip_1555","metadata":"{\"hush\":1}","attributes":{"sip.phoneNumber":"+1555hush","sip.trunkID":"","n":1}},"future":{"metadata":"hush"}`))
	want := `{"event":"participant_joined","room":{"sid":"S1","room_id":"room01","Metadata":{}},` +
		`"participant":{"sid":"P","identity":"sip_1555","metadata":"[redacted]","attributes":{"sip.phoneNumber":"[redacted]","sip.trunkID":"","n":"[redacted]"}},` +
		`"future":{"metadata":"[redacted]"},"id":"E1","created_at":"1795309324"}`
	if string(d.Body) != want {
		t.Errorf("\n%s\n%s", d.Body, want)
	}
	for _, attributes := range []string{`"hush"`, `["hush"]`, `{"a":["hush"],"b":{"c":"hush"}}`} {
		d := said(t, about("participant_joined", "", `,"participant":{"sid":"P","metadata":{"x":"hush"},"attributes":`+attributes+`}`))
		if strings.Contains(string(d.Body), "hush") {
			t.Errorf("%s", d.Body)
		}
	}
}

func TestWhatIsNotSecretIsKeptAsItCame(t *testing.T) {
	d := said(t, ` { "event" : "future", "room":{"sid":"S1","metadata":""}, "n":[1.50,-0,1e3, 9007199254740993], "s":"\u00e9<&>\n\u0000", "o":{"b":true,"a":null}, "token":"", "pin":null } `)
	want := `{"event":"future","room":{"sid":"S1","metadata":{}},"n":[1.50,-0,1e3,9007199254740993],"s":"é<&>\n\u0000","o":{"b":true,"a":null},"token":"","pin":null}`
	if string(d.Body) != want {
		t.Errorf("\n%s\n%s", d.Body, want)
	}
}
