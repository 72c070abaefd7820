package plugnmeet_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/room"
)

// kindFile is one event as plugNmeet really writes it and as its documents have it, with the session that
// either makes, whole. After names the files whose real events came before.
type kindFile struct {
	After            []string
	Real, Documented json.RawMessage
	Verdict          room.Verdict // accepted unless it says otherwise
	Reason           string
	Session          json.RawMessage
}

func kindOf(t *testing.T, name string) (k kindFile) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "kinds", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&k); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return k
}

// evening is after everything in the files.
var evening = time.Unix(1795320000, 0)

func decoded(tb testing.TB, body []byte) room.Delivery {
	tb.Helper()
	d, err := plugnmeet.Decode("default", body, evening)
	if err != nil {
		tb.Fatalf("%v in %s", err, body)
	}
	return d
}

// pretty is JSON as the golden files have it, so that a difference shows in its line.
func pretty(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, data, "", " "); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// differ shows the first line in which two texts differ, "" if none does.
func differ(got, want string) string {
	gots, wants := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(gots), len(wants)) {
		if gots[i] != wants[i] {
			return "got  " + gots[i] + "\nwant " + wants[i] + "\nin\n" + got
		}
	}
	if len(gots) != len(wants) {
		return "one goes on where the other ends:\n" + got
	}
	return ""
}

func TestEveryKindInBothFormsMakesTheSessionOfItsGoldenFile(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "kinds", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[room.Kind]bool{}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		k := kindOf(t, name)
		for form, body := range map[string]json.RawMessage{"real": k.Real, "documented": k.Documented} {
			d := decoded(t, body)
			seen[d.Said.Kind] = true
			if !strings.HasPrefix(name, d.Event) {
				t.Errorf("%s is about %s", name, d.Event)
			}
			if k.Verdict == "" {
				k.Verdict = room.Accepted
			}
			if d.Verdict != k.Verdict || d.Reason != k.Reason {
				t.Errorf("%s, %s: %s, %q", name, form, d.Verdict, d.Reason)
			}
			s := room.New(room.Key{Source: "default", SID: d.SID})
			for _, earlier := range k.After {
				s.Apply(*decoded(t, kindOf(t, earlier).Real).Said)
			}
			s.Apply(*d.Said)
			if diff := differ(pretty(t, s.Detail()), pretty(t, k.Session)); diff != "" {
				t.Errorf("%s, %s:\n%s", name, form, diff)
			}
		}
	}
	for _, c := range everyEvent {
		if !seen[c.kind] {
			t.Errorf("no golden file for %s", c.event)
		}
	}
	if !seen[room.KindOther] {
		t.Error("no golden file for an event that we don't know")
	}
}
