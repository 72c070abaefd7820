package web

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
	"time"
)

func TestWhatASpreadsheetWouldRunIsDefused(t *testing.T) {
	for _, formula := range []string{"=1+1", "+1", "-1+2", "@SUM(A1)", "=cmd|' /C calc'!A0", "\t=1", "\tx", "\rx", "\nx", " =1", "   @x", " \t x", "\u00a0=1", "\u200b=1", "\ufeff=1", "\u3000=1",
		"＝1", "＋1", "－1", "＠x", " ＝1", "\u200e＝1", "=", "-", "-\n"} {
		if got := defused(formula); got != "'"+formula {
			t.Errorf("%q: %q", formula, got)
		}
	}
	for _, text := range []string{"", " ", "a=1", "1-1", "Weekly ops", "'=1", "\"=1\"", "ana@example.org", "a\t=1", "(=1)", "Ünïcode", "–dash", "\u200b", "room-1", "EV_=x", "\xff="} {
		if got := defused(text); got != text {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func TestNumbersAndTimesStayAsTheyAre(t *testing.T) {
	at := time.Date(2026, 11, 22, 10, 0, 0, 120_000_000, time.FixedZone("", 3600))
	for _, c := range []struct {
		value any
		want  string
	}{{-5, "-5"}, {int64(-1 << 40), "-1099511627776"}, {-0.5, "-0.5"}, {0.00446, "0.00446"}, {1e21, "1000000000000000000000"}, {true, "true"}, {nil, ""}, {time.Time{}, ""}, {at, "2026-11-22T09:00:00.12Z"}} {
		if got := cellText(c.value); got != c.want {
			t.Errorf("%v: %q", c.value, got)
		}
	}
}

func TestACSVIsReadBackAsItWas(t *testing.T) {
	type pair struct{ a, b string }
	var out bytes.Buffer
	sheet := asCSV(&out, []column[pair]{{"a", func(p *pair) any { return p.a }}, {"b", func(p *pair) any { return p.b }}})
	want := [][]string{{"a", "b"}}
	for _, p := range []pair{{"x", "y"}, {`say "hi"`, "a,b;c"}, {"two\nlines", ""}, {"", ""}, {" kept ", "Ana Díaz 🎥"}, {"𐀀", `\`}} {
		if err := sheet.row(&p); err != nil {
			t.Fatal(err)
		}
		want = append(want, []string{p.a, p.b})
	}
	if err := sheet.end(""); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); strings.Count(text, "\n") != strings.Count(text, "\r\n") || !strings.HasPrefix(text, "a,b\r\n") {
		t.Errorf("lines end otherwise: %q", text)
	}
	got, err := csv.NewReader(&out).ReadAll()
	if err != nil || len(got) != len(want) {
		t.Fatal(got, err)
	}
	for i := range want {
		if got[i][0] != want[i][0] || got[i][1] != want[i][1] {
			t.Errorf("%q is read as %q", want[i], got[i])
		}
	}
}
