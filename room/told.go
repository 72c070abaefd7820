package room

import "slices"

// Stamp says which event a report comes from.
type Stamp struct {
	At   Time   `json:"a"`
	Born Time   `json:"b"` // see born
	Kind Kind   `json:"k"`
	ID   string `json:"i"`
}

// before is the order of the last writer: by time, then by the later kind in a life, then by event id.
func (s Stamp) before(o Stamp) bool {
	if s.At != o.At {
		return s.At < o.At
	}
	if s.Kind != o.Kind {
		return s.Kind < o.Kind
	}
	return s.ID < o.ID
}

// Report is what one event said about one thing.
type Report[F fact[F]] struct {
	Stamp
	Said F `json:"s"`
}

// fact is what can be said of a thing. f.covers(o) means: whatever o says, f says too (if perhaps with
// another value), and no time in o is earlier than f's. It must be a preorder, or reports that are
// dropped would depend on the order of arrival.
type fact[F any] interface{ covers(o F) bool }

// maxTold bounds how many reports of one kind are kept of one thing. Below it every law of Merge holds;
// plugNmeet's own repeats (a recorder that retries with fresh event ids) stay far below.
const maxTold = 12

// Told is all that was said about one thing, less what a later report makes redundant. Its order is the
// order of last writers, so that equal knowledge is equal bytes.
//
// Reports are kept whole rather than folded into values because whether one counts can change: a
// straggler is known as one only when the earlier session, or the creation of the one it names, is known.
type Told[F fact[F]] []Report[F]

// redundant: everything that r can still contribute, x contributes too, whichever stragglers are left out.
func (r Report[F]) redundant(x Report[F]) bool {
	return r.Kind == x.Kind && r.Born <= x.Born && !x.before(r.Stamp) && x.Said.covers(r.Said)
}

// richer: x is the same report, as an older Roomwatch understood it that did not know all of what it says.
func (r Report[F]) richer(x Report[F]) bool {
	return x.Stamp == r.Stamp && r.Said.covers(x.Said) && !x.Said.covers(r.Said)
}

// add returns what is told with r in it, and whether r said anything that was not known.
func (t Told[F]) add(r Report[F]) (Told[F], bool) {
	for i, x := range t {
		if r.richer(x) {
			t = slices.Delete(t, i, i+1)
			break
		}
		if x.Stamp == r.Stamp || r.redundant(x) {
			return t, false
		}
	}
	t = slices.DeleteFunc(t, func(x Report[F]) bool { return x.redundant(r) })
	at, _ := slices.BinarySearchFunc(t, r, func(x, y Report[F]) int {
		if x.before(y.Stamp) {
			return -1
		}
		return 1
	})
	return slices.Insert(t, at, r).bounded(r.Kind), true
}

// bounded keeps the first and the newest reports of a kind.
func (t Told[F]) bounded(kind Kind) Told[F] {
	second, count := -1, 0
	for i, x := range t {
		if x.Kind != kind {
			continue
		}
		if count++; count == 2 {
			second = i
		}
	}
	if count <= maxTold {
		return t
	}
	return slices.Delete(t, second, second+1)
}

// mergeTold adds every report of other to mine, under the same keys; a new key beyond limit is left out.
// It reports whether anything changed and whether anything was left out.
func mergeTold[F fact[F]](mine *map[string]Told[F], other map[string]Told[F], limit int) (changed, capped bool) {
	for key, reports := range other {
		told, known := (*mine)[key]
		if !known && len(*mine) >= limit {
			capped = true
			continue
		}
		var news bool
		for _, r := range reports {
			told, news = addTo(told, r, news)
		}
		if !news {
			continue
		}
		if *mine == nil {
			*mine = make(map[string]Told[F])
		}
		(*mine)[key] = told
		changed = true
	}
	return changed, capped
}

func addTo[F fact[F]](told Told[F], r Report[F], news bool) (Told[F], bool) {
	told, fresh := told.add(r)
	return told, news || fresh
}

// says: an empty value claims nothing, so it is covered by anything.
func says[T comparable](mine, other T) bool {
	var empty T
	return other == empty || mine != empty
}

// asEarly: a start that other does not know, or knows no better.
func asEarly(mine, other Time) bool {
	return other == 0 || mine != 0 && mine <= other
}
