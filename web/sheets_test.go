package web

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
	"time"
	"unicode"
)

func TestWhatASpreadsheetWouldRunIsDefused(t *testing.T) {
	for _, formula := range []string{"=1+1", "+1", "-1+2", "@SUM(A1)", "=cmd|' /C calc'!A0", "\tx", "\rx", "\nx", " =1", "   @x", " \t x", "\u00a0=1", "\u200b=1", "\ufeff=1", "\u3000=1",
		"＝1", "＋1", "－1", "＠x", " ＝1", "\u200e＝1", "=", "-", "-\n"} {
		if got := defused(formula); got != "'"+formula {
			t.Errorf("%q: %q", formula, got)
		}
	}
	for text, want := range map[string]string{"\t=1": "'\t'=1", "a;=1": "a;'=1", "a\t+1": "a\t'+1", "a\r\n@x": "a\r\n'@x", "a,b; ＝1": "a,b;' ＝1", ";\"=1\"": ";'\"=1\"", "a;-1;b": "a;'-1;b"} {
		if got := defused(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	for _, text := range []string{"", " ", "a=1", "1-1", "Weekly ops", "'=1", "\"=1\"", "ana@example.org", "a; b", "a,b;c", "a\tb", "a;b=1", "(=1)", "Ünïcode", "–dash", "\u200b", "room-1", "EV_=x", "\xff="} {
		if got := defused(text); got != text {
			t.Errorf("%q: %q", text, got)
		}
	}
}

// cellsOf is a CSV as a spreadsheet reads it whose locale goes by another separator: a quote counts at the beginning of
// a cell only, and what follows the closing one belongs to the cell. Without quotes, none counts at all.
func cellsOf(text string, separator rune, quotes bool) (cells []string) {
	var cell strings.Builder
	begins, quoted := true, false
	runes := []rune(text)
	for i := 0; i < len(runes); i++ {
		r := runes[i]
		switch {
		case quotes && begins && r == '"':
			begins, quoted = false, true
		case quoted && r == '"' && i+1 < len(runes) && runes[i+1] == '"':
			cell.WriteRune('"')
			i++
		case quoted && r == '"':
			quoted = false
		case !quoted && (r == separator || r == '\n' || r == '\r'):
			cells, begins = append(cells, cell.String()), true
			cell.Reset()
		default:
			cell.WriteRune(r)
			begins = false
		}
	}
	return append(cells, cell.String())
}

func TestFault50NoCellBeginsWithAFormulaInAnyLocale(t *testing.T) {
	type row struct{ a, b string }
	var rows []row
	for _, separator := range []string{";", "\t", "\n", "\r\n", ",", ";;", "; ", ";\u00a0", ";\"", ";\"\"", "\";", ";\u200b", "\n\t", ";\n"} {
		for _, formula := range []string{"=1+1", "+1", "-cmd", "@SUM(A1)", "＝1", "＋x", "－x", "＠x", "﹦1", "=\"a\"&B1"} {
			for _, before := range []string{"", "a", "a,b", `a "b"`, "周会"} {
				rows = append(rows, row{before + separator + formula, "x"}, row{"x", before + separator + formula + separator + formula})
			}
		}
	}
	var out bytes.Buffer
	sheet := asCSV(&out, []column[row]{{"a", func(r *row) any { return r.a }}, {"n", func(*row) any { return -5 }}, {"b", func(r *row) any { return r.b }}})
	for i := range rows {
		if err := sheet.row(&rows[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := sheet.end(""); err != nil {
		t.Fatal(err)
	}
	text := strings.TrimPrefix(out.String(), byteOrderMark)
	for _, separator := range []rune{',', ';', '\t'} {
		for _, quotes := range []bool{true, false} {
			for _, cell := range cellsOf(text, separator, quotes) {
				bare := strings.TrimLeftFunc(cell, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) })
				if cell != "-5" && bare != "" && strings.ContainsRune("=+-@＝＋－＠﹦﹢﹣﹫", []rune(bare)[0]) {
					t.Fatalf("separated by %q, quotes count %v: the cell %q", separator, quotes, cell)
				}
			}
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
	for _, p := range []pair{{"x", "y"}, {`say "hi"`, "a,b;c"}, {"two\nlines", ""}, {"", ""}, {" kept ", "Ana Díaz 🎥"}, {"𐀀", `\`}, {"市场部周会", "ประชุม"}, {"اجتماع", "Łódź ß"}} {
		if err := sheet.row(&p); err != nil {
			t.Fatal(err)
		}
		want = append(want, []string{p.a, p.b})
	}
	if err := sheet.end(""); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); strings.Count(text, "\n") != strings.Count(text, "\r\n") || !strings.HasPrefix(text, "\ufeffa,b\r\n") {
		t.Errorf("lines end otherwise: %q", text)
	}
	out.Next(len(byteOrderMark))
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
