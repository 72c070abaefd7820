package room

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

func TestLettersThatPeopleTakeForTheSameAreTheSame(t *testing.T) {
	for sought, text := range map[string]string{
		"istanbul": "İstanbul", "ışık": "Isik", "dorde": "Đorđe", "lodz": "ŁÓDŹ", "sorensen": "Sørensen", "aero": "Ærø", "oeuvre": "Œuvre", "strasse": "STRAẞE", "straße": "Strasse",
		"hal": "Ħal", "thordur": "Þórður", "ｗｅｅｋｌｙ": "Weekly", "weekly": "Ｗｅｅｋｌｙ　２", "2": "Ｗｅｅｋｌｙ　２", "ﾐｰﾃｨﾝｸﾞ": "ミーティング", "ガ": "カ\u3099", "café": "CAFE\u0301", "cafe": "café",
		"αθηνα": "Αθήνα", "иои": "йой", "σισυφος": "ΣΊΣΥΦΟΣ", "nguyen": "Nguyễn", "file": "ﬁle", "اجتماع": "اِجتماع", "weekly ops": "𝓦𝓮𝓮𝓴𝓵𝔂 ops", "şişli": "SISLI",
	} {
		if !ParseWords(sought).Find(text) || !ParseWords(text).Find(text) {
			t.Errorf("%q does not find %q: %q, %q", sought, text, Sought(sought), Pieces(text))
		}
	}
}

func TestAnyTwoNeighboursOfAScriptWithoutSpacesAreFound(t *testing.T) {
	for _, text := range []string{"市场部周会", "マーケティング会議", "ひらがな", "주간회의", "ประชุมประจำสัปดาห์", "ກອງປະຊຸມ", "ការប្រជុំ", "အစည်းအဝေး", "Q3市场部review周会2026"} {
		letters := []rune(text)
		for from := range letters {
			for to := from + 1; to <= len(letters); to++ {
				part := string(letters[from:to])
				wordsBegin := Unspaced(letters[from]) || from == 0 || Unspaced(letters[from-1])
				if strings.ContainsFunc(part, unicode.IsLetter) && wordsBegin && !strings.ContainsAny(part[:1], "0123456789") && !ParseWords(part).Find("x", text) {
					t.Errorf("%q is not found in %q: %q, %q", part, text, Sought(part), Pieces(text))
				}
			}
		}
	}
	for sought, text := range map[string]string{"市周": "市场部周会", "会周": "市场部周会", "회간": "주간회의", "eekly": "Weekly", "会市": "市场部周会"} {
		if ParseWords(sought).Find(text) {
			t.Errorf("%q finds %q", sought, text)
		}
	}
	if ParseWords("会市").Find("周会", "市场") {
		t.Error("one text goes on in the next")
	}
}

func TestFoldingTwiceChangesNothingMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		if once := Folded(text); Folded(once) != once {
			t.Fatalf("%q: %q, then %q", text, once, Folded(once))
		}
		if !slices.Equal(Pieces(text), Pieces(Folded(text))) {
			t.Fatalf("%q: %q, %q", text, Pieces(text), Pieces(Folded(text)))
		}
	})
}
