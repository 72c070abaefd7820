package live

import (
	"time"

	"github.com/roomwatch/roomwatch/share"
)

// ViewUnit is the memory that views are counted in: each is counted as at least one, so that many small ones have an
// end, too. What one costs, docs/performance.md tells.
const ViewUnit = 256 << 10

// viewMemory is the budget of a process, in units: 512 MiB, of which the last quarter is for those who are known.
var viewMemory = share.Limits{All: 2048, Reserve: 512}

const (
	pieceCost = 256 // bytes of a piece beside its texts
	viewCost  = 3   // times what a view shows: the model that it is made of, and frames that are on their way
)

// counted is for whom a view counts: for everybody who watches it or, when nobody does, for who had it last.
type counted struct {
	weight int                  // in units
	by     map[share.Holder]int // with how many viewers each
}

// ShareBy says what of the views and of the questions to the record each may have. It is called before the hub is used.
func (h *Hub) ShareBy(views, questions *share.Pool) { h.shares, h.questions = views, questions }

// ViewUnits is how much of their memory the views take, and how much they may.
func (h *Hub) ViewUnits() (taken, most int) { return h.memory.Held(), h.memory.All }

// count counts a view for a holder; one for whom it counts already has it. The error is ErrOwnViews.
func (h *Hub) count(w *watched, who share.Holder) error {
	if _, counts := w.by[who]; counts {
		return nil
	}
	for h.shares.Take(who, w.weight) != nil {
		theirs := func(other *watched) bool {
			_, counts := other.by[who]
			return counts && other != w
		}
		if !h.dropIdlest(theirs) {
			return ErrOwnViews
		}
	}
	w.by[who] = 0
	return nil
}

// enter lets a viewer in to a view that counts for them. It need not count any more for who merely had it last.
func (h *Hub) enter(w *watched, viewer *Viewer) {
	w.viewers[viewer] = struct{}{}
	w.by[viewer.who]++
	for who, viewers := range w.by {
		if viewers == 0 {
			h.discount(w, who)
		}
	}
}

// leave ends the watching of a viewer.
func (h *Hub) leave(w *watched, viewer *Viewer) {
	if _, there := w.viewers[viewer]; !there {
		return
	}
	delete(w.viewers, viewer)
	w.idle = time.Now()
	if w.by[viewer.who]--; w.by[viewer.who] == 0 && len(w.viewers) > 0 {
		h.discount(w, viewer.who)
	}
}

func (h *Hub) discount(w *watched, who share.Holder) {
	delete(w.by, who)
	h.shares.Give(who, w.weight)
}

// drop forgets a view.
func (h *Hub) drop(q Question) {
	w := h.views[q]
	delete(h.views, q)
	for who := range w.by {
		h.discount(w, who)
	}
	h.memory.Give(share.Holder{}, w.weight)
	w.weight = 0
}

// dropIdlest forgets the view, among some, that nobody has watched for longest.
func (h *Hub) dropIdlest(among func(*watched) bool) bool {
	var idlest Question
	var since time.Time
	for q, w := range h.views {
		if len(w.viewers) == 0 && (since.IsZero() || w.idle.Before(since)) && among(w) {
			idlest, since = q, w.idle
		}
	}
	if since.IsZero() {
		return false
	}
	h.drop(idlest)
	return true
}

// weigh counts a view by what it has become. It may then be more than somebody's share: what is open stays.
func (h *Hub) weigh(w *watched) {
	weight := w.units()
	h.mu.Lock()
	defer h.mu.Unlock()
	if w.weight == 0 {
		return // it was dropped, or never kept
	}
	more := weight - w.weight
	w.weight = weight
	h.memory.Add(share.Holder{}, more)
	for who := range w.by {
		h.shares.Add(who, more)
	}
}

// units is what a view takes of memory, in units.
func (v *view) units() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	bytes := 0
	for _, p := range v.shown {
		bytes += pieceCost + len(p.id) + len(p.html)
	}
	return 1 + viewCost*bytes/ViewUnit
}

// onBehalf is who, of those who watch a view, has the fewest questions under way. Of a view that nobody watches any
// more it is false; whoever opens that again has it refreshed.
func (h *Hub) onBehalf(w *watched) (who share.Holder, watched bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	fewest := 0
	for one, viewers := range w.by {
		if viewers == 0 {
			continue
		}
		if n := h.questions.HeldBy(one); !watched || n < fewest {
			who, watched, fewest = one, true, n
		}
	}
	w.stale = w.stale || !watched
	return who, watched
}
