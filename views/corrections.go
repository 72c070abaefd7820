package views

import (
	"fmt"
	"slices"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
)

// mostCorrections bounds how many corrections of a session are listed. The record has them all.
const mostCorrections = 12

// correctionSign is what was put right, by shape and colour: an end, or something else.
func correctionSign(c room.Corrected) sign {
	switch c.What {
	case room.Gone:
		return sign{"square", "ended by reconcile", ""}
	case room.Silent:
		return sign{"dashed", "ended by the janitor", "late"}
	case room.Asked:
		return sign{"ring", "asked to end", ""}
	}
	return sign{"ring", c.Text(), ""}
}

// correctionText is what was put right and, where that was wrong, that it was taken back.
func correctionText(c room.Correction) string { return withTakenBack(c.Text, c.TakenBack) }

func withTakenBack(text string, back room.TakenBack) string {
	if back.Text == "" {
		return text
	}
	return text + " (" + back.Text + ")"
}

// correctionItems are the newest corrections of a session, as a list.
func correctionItems(all []room.Correction) []live.Element {
	var out []live.Element
	for i, c := range slices.Backward(all) {
		if len(out) == mostCorrections {
			out = append(out, element("correction-more", "corrections", fmt.Sprintf("and %d before", i+1), sayItem))
			break
		}
		out = append(out, element(fmt.Sprint("correction-", i), "corrections", c, correctionItem))
	}
	return out
}

// correctionLane is a mark for each correction, and a hatched stripe for the time in which it was wrong. Those that
// are near one another share their words.
func (t timeline) correctionLane(all []room.Correction) []live.Element {
	l := lane{id: "bars-corrections", class: "work", title: "Corrections"}
	var inside []room.Correction
	for _, c := range all {
		if t.has(room.At(c.At)) {
			inside = append(inside, c)
		}
	}
	drawn, free := -100.0, 0.0 // where the last mark stands, and from where on there is room for words
	for len(inside) > 0 {
		n := 1
		for n < len(inside) && t.x(room.At(inside[n].At))-t.x(room.At(inside[n-1].At)) < sameWord {
			n++
		}
		for _, c := range inside[:n] {
			if since := c.Corrected.Since; since != 0 && c.What != room.Asked {
				l.add(t.stripe("wrong", max(since, t.from), room.At(c.At)))
			}
			if x := t.x(room.At(c.At)); x-drawn >= sameSpot {
				l.marks = append(l.marks, mark{sign: sign{"ring", "", "corrected"}, x: pct(x)})
				drawn = x
			}
		}
		first, last := t.x(room.At(inside[0].At)), t.x(room.At(inside[n-1].At))
		until := t.x(max(t.edge(), room.At(inside[n-1].At)))
		if n < len(inside) {
			until = t.x(room.At(inside[n].At)) - 0.5
		}
		said := correctionLabel(inside[:n], until-last)
		if beside := correctionLabel(inside[:n], first-free-1); said.fit == "" && beside.fit != "" {
			beside.count = ""
			l.marks = append(l.marks, mark{sign: sign{"", "", "beyond"}, x: pct(first - 0.6), left: true, label: beside})
		} else {
			l.marks[len(l.marks)-1].label = said
		}
		free = last
		inside = inside[n:]
	}
	if len(l.marks) == 0 {
		return nil
	}
	return []live.Element{laneElement(l, "bars")}
}

func correctionLabel(list []room.Correction, share float64) label {
	l := label{before: shortCorrection(list[0])}
	if n := len(list); n > 1 {
		l.before, l.count = fmt.Sprintf("%s and %d more", l.before, n-1), comma(n)
	}
	l.fit = roomFor(l.length(), share)
	return l
}

// shortCorrection is a correction in a few words: the list beside the drawing has them all.
func shortCorrection(c room.Correction) string {
	if c.TakenBack.Text != "" {
		return "taken back: " + shortCorrected(c.Corrected)
	}
	return shortCorrected(c.Corrected)
}

func shortCorrected(c room.Corrected) string {
	switch c.What {
	case room.Found:
		return "found by API"
	case room.Back:
		return "taken up again"
	case room.Passed:
		return "found among past ones"
	case room.Gone, room.Silent, room.Asked:
		return correctionSign(c).word
	}
	return cut(c.Text(), 40)
}
