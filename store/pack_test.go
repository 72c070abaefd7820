package store

import (
	"bytes"
	"database/sql"
	"errors"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/roomwatch/roomwatch/room"
)

func TestWhatIsPackedIsUnpackedAsItWas(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.SliceOfN(rapid.Byte(), 0, 300), rapid.Map(rapid.String(), func(s string) []byte {
			return []byte(`{"event":"participant_joined","room":{"sid":"` + s + `","room_id":"room01"}}`)
		})).Draw(t, "text")
		before := rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "what stands in the space")
		packed := pack(bytes.Clone(before), text)
		if !bytes.HasPrefix(packed, before) {
			t.Fatal("what stood in the space was changed")
		}
		if back, err := unpack(packed[len(before):]); err != nil || !bytes.Equal(back, text) {
			t.Fatalf("%q comes back as %q, %v", text, back, err)
		}
	})
}

// Documents on other disks were packed by this sample: another one, or another form, could not read them.
func TestWhatWasPackedByAnEarlierProgramIsRead(t *testing.T) {
	t.Parallel()
	const text = `{"event":"participant_joined","room":{"sid":"s1","room_id":"room01"}}`
	packed := "\x01EV\xaf\vZ&\x0e\x04s1Q\xb6a\x8e\x11\x00\x04}}"
	if back, err := unpack([]byte(packed)); err != nil || string(back) != text {
		t.Errorf("%q, %v; it is packed as %q", back, err, pack(nil, []byte(text)))
	}
	if plain, err := unpack([]byte(text)); err != nil || string(plain) != text {
		t.Errorf("what is written as it is: %q, %v", plain, err)
	}
}

func TestWhatIsPackedWrongIsAnError(t *testing.T) {
	t.Parallel()
	good := pack(nil, []byte(strings.Repeat("some text ", 50)))
	rapid.Check(t, func(t *rapid.T) {
		bad := bytes.Clone(good)
		bad[rapid.IntRange(1, len(bad)-1).Draw(t, "at")] ^= byte(rapid.IntRange(1, 255).Draw(t, "bits"))
		if _, err := unpack(bad[:rapid.IntRange(1, len(bad)).Draw(t, "cut")]); err != nil && !errors.Is(err, errUndecodable) {
			t.Fatal(err)
		}
	})
	huge := []byte{packedByTypical, 0xff, 0xff, 0xff, 0xff, 0x0f}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := unpack(huge)
	runtime.ReadMemStats(&after)
	if taken := after.TotalAlloc - before.TotalAlloc; !errors.Is(err, errUndecodable) || taken > 1<<30 {
		t.Errorf("four gigabytes: %v, and %d bytes were taken for them", err, taken)
	}
}

// Bodies that were written before they were packed stay as they are.
func TestAnOlderRecordIsReadAsItIs(t *testing.T) {
	t.Parallel()
	url := "file:" + filepath.Join(t.TempDir(), "r.db")
	s := openAt(t, url)
	d := entry(1)
	mustAppend(t, s, d)
	said, err := encodeSaid(d.Said)
	if err != nil {
		t.Fatal(err)
	}
	err = s.write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec("UPDATE deliveries SET said = ?, body = ?, sum = NULL", said, d.Body)
		if err == nil {
			_, err = tx.Exec(withoutTimes + "PRAGMA user_version = 6")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	closeStore(t, s)
	s = openAt(t, url)
	if got := read(t, s, "", 1)[0]; !bytes.Equal(got.Body, d.Body) || got.Said.ID != d.ID {
		t.Errorf("%s, %+v", got.Body, got.Said)
	}
	if again := mustAppend(t, s, d); again.Verdict != room.Duplicate || again.Reason != "" {
		t.Errorf("the same again: %s %s", again.Verdict, again.Reason)
	}
	other := d
	other.Body = []byte(`{"another":1}`)
	if again := mustAppend(t, s, other); again.Reason != room.Conflict {
		t.Errorf("another body: %s %s", again.Verdict, again.Reason)
	}
}
