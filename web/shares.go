package web

import (
	"errors"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/share"
)

// shares are what there is only so much of. docs/security.md has the figures. Where there is no login, an address is
// somebody, who is at this machine. The memory of all views together is the hub's, see live.ViewUnit.
type shares struct{ views, sockets, questions, exports *share.Pool }

func newShares() shares {
	each := func(person, frame, place int) map[share.Kind]int {
		return map[share.Kind]int{share.Person: person, share.Machine: person, share.Frame: frame, share.Place: place}
	}
	return shares{
		views:     share.New(share.Limits{Each: each(100, 50, 1500), From: 500}),
		sockets:   share.New(share.Limits{All: 20_000, Reserve: 4_000, Each: each(200, 1000, 0), From: 2000}),
		questions: share.New(share.Limits{All: 32, Reserve: 24, Each: each(2, 2, 2), From: 4}),
		exports:   share.New(share.Limits{All: 8, Reserve: 8, Each: each(2, 0, 0)}),
	}
}

// named are the pools by what is in them, in words.
func (p shares) named() map[string]*share.Pool {
	return map[string]*share.Pool{"views": p.views, "sockets": p.sockets, "questions": p.questions, "exports": p.exports}
}

// shareOf is whom a request counts for.
func (s *Server) shareOf(c *fiber.Ctx, v visitor) share.Holder {
	switch {
	case s.LoopbackOnly:
		return share.Holder{Kind: share.Place, Name: s.network(c)}
	case v.user.Key != "":
		return share.Holder{Kind: share.Person, Name: string(v.user.Key)}
	case v.embed.Source != "":
		return share.Holder{Kind: share.Frame, Name: v.frame, Address: s.network(c)}
	case v.Known():
		return share.Holder{Kind: share.Machine, Name: v.Actor().Name + " " + v.token.ID()}
	}
	return share.Holder{Address: s.network(c)}
}

// asker is whom the questions of a request count for.
func (s *Server) asker(c *fiber.Ctx) share.Holder {
	v, err := s.who(c)
	if err != nil {
		v = visitor{}
	}
	return s.shareOf(c, v)
}

// overdrawn is the pool in which somebody has taken all that they may, or nil when the error says something else.
func (p shares) overdrawn(err error) (what string, of *share.Pool) {
	switch {
	case errors.Is(err, live.ErrOwnViews), errors.Is(err, live.ErrTooManyViews):
		return "views", p.views
	case errors.Is(err, live.ErrQuestions):
		return "questions", p.questions
	case errors.Is(err, errExports):
		return "exports", p.exports
	case errors.Is(err, share.ErrOwn), errors.Is(err, share.ErrFull):
		return "sockets", p.sockets
	}
	return "", nil
}

// refusedShare counts that somebody was refused for want of a share, if that is why, and writes it to the log: a line
// for each in ten minutes, of a bounded number of them.
func (s *Server) refusedShare(who share.Holder, why error) {
	what, pool := s.shares.overdrawn(why)
	if pool == nil || !pool.Refuse(who, why, time.Now()) {
		return
	}
	if ownShare(why) {
		s.Log.Warn("somebody has all that one may have, and was refused more", "of", what, "kind", who.Kind.String(), "who", who.Name,
			"address", who.Address, "most", pool.Each[who.Kind])
		return
	}
	s.Log.Warn("somebody was refused because all is in use", "of", what, "kind", who.Kind.String(), "who", who.Name, "address", who.Address)
}

// ownShare says whether somebody is refused for what they themselves have taken.
func ownShare(err error) bool { return errors.Is(err, share.ErrOwn) }

// shareGauges are the figures of the shares.
func (s *Server) shareGauges() {
	for what, pool := range s.shares.named() {
		refused := func(reason string, count func() float64) {
			s.metrics.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "roomwatch_share_refused_total",
				Help:        "Refusals by what was asked for, and why: own, of who has all that one may have; full, because all is in use.",
				ConstLabels: prometheus.Labels{"of": what, "reason": reason}}, count))
		}
		refused("own", func() float64 { own, _ := pool.Refused(); return float64(own) })
		refused("full", func() float64 { _, full := pool.Refused(); return float64(full) })
	}
	s.metrics.gauge("roomwatch_questions", "Questions to the record under way, by people, machines and views.",
		func() float64 { return float64(s.shares.questions.Held()) })
	s.metrics.gauge("roomwatch_view_memory_bytes", "Memory that the views are counted with.",
		func() float64 { taken, _ := s.Hub.ViewUnits(); return float64(taken * live.ViewUnit) })
	s.metrics.gauge("roomwatch_view_memory_limit_bytes", "How much of it there is.",
		func() float64 { _, most := s.Hub.ViewUnits(); return float64(most * live.ViewUnit) })
}
