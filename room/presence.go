package room

import (
	"cmp"
	"slices"
)

// stay is a span of time that somebody was here; To is never while it lasts.
type stay struct{ from, to Time }

// stays are when p was here: on its connections or, when none is known, while it published.
func (p Participant) stays() []stay {
	var out []stay
	add := func(from, to, seen Time, open bool) {
		if open {
			to = never
		}
		out = append(out, stay{cmp.Or(from, min(seen, to)), to})
	}
	for _, c := range p.Connections {
		add(At(c.JoinedAt), At(c.LeftAt), c.seen, c.Open)
	}
	if len(p.Connections) > 0 {
		return out
	}
	for _, t := range p.Tracks {
		add(At(t.PublishedAt), At(t.UnpublishedAt), t.seen, t.Open)
	}
	return out
}

// Step is the number of people from a moment on.
type Step struct {
	At     Time
	People int
}

// Steps is how many people were here over time: distinct identities, however many connections they had.
// Who comes in the instant in which another leaves meets them, because plugNmeet's times are of
// different grain (left in seconds, joined in milliseconds).
func Steps(participants []Participant) []Step {
	type edge struct {
		at   Time
		who  int
		step int
	}
	var edges []edge
	for who, p := range participants {
		if !p.Human() {
			continue
		}
		for _, s := range p.stays() {
			edges = append(edges, edge{s.from, who, +1}, edge{s.to, who, -1})
		}
	}
	slices.SortFunc(edges, func(a, b edge) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(b.step, a.step)) })
	here := make([]int, len(participants))
	var steps []Step
	people := 0
	for _, e := range edges {
		if e.at == never {
			break
		}
		before := here[e.who]
		here[e.who] += e.step
		switch {
		case before == 0:
			people++
		case here[e.who] == 0:
			people--
		default:
			continue
		}
		steps = append(steps, Step{e.at, people})
	}
	return steps
}

func peak(participants []Participant) (most int) {
	for _, s := range Steps(participants) {
		most = max(most, s.People)
	}
	return most
}
