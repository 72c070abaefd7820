package web

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/gofiber/fiber/v2"

	"github.com/roomwatch/roomwatch/access"
	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/static"
	"github.com/roomwatch/roomwatch/views"
)

// embedScript is the custom element for pages that frame us.
const embedScript = "/embed.js"

// errFrame: what is for frames was asked for as a page of its own.
var errFrame = errors.New("only for frames")

// framed is the rule of pages in frames: a token that covers what is asked, in a frame of a parent that is
// allowed.
func (s *Server) framed() rule {
	return rule{"embed token", func(c *fiber.Ctx) error {
		s.framable(c, s.Auth.Parents...)
		if dest := c.Get("Sec-Fetch-Dest"); dest != "" && dest != "iframe" && dest != "frame" {
			return errFrame
		}
		v, err := s.embedded(c.Query("token"), time.Now())
		if err != nil {
			return err
		}
		if !v.May(access.SeeRooms, access.Target{Source: v.embed.Source, RoomID: param(c, "room_id")}) {
			return errForbidden
		}
		s.framable(c, v.embed.Parent)
		s.obstacles.served(time.Now())
		c.Locals(visitorKey, v)
		return c.Next()
	}}
}

// framable lets these pages frame the answer. What is refused says so in a frame of any parent: it tells nothing.
func (s *Server) framable(c *fiber.Ctx, parents ...access.Origin) {
	ancestors := "'none'"
	for i, parent := range parents {
		if i == 0 {
			ancestors = ""
		}
		ancestors += " " + string(parent)
	}
	c.Response().Header.Del(fiber.HeaderXFrameOptions)
	c.Set(fiber.HeaderContentSecurityPolicy, strings.Replace(contentPolicy, "frame-ancestors 'none'", "frame-ancestors "+strings.TrimSpace(ancestors), 1))
	c.Set("Cross-Origin-Resource-Policy", "cross-origin") // for parents that are isolated themselves
}

// embedded is the frame that a token speaks for. The error is errNotEmbed or errExpired; the reason is for the log.
func (s *Server) embedded(token string, now time.Time) (visitor, error) {
	e, err := s.keys.embed.Verify(token, now)
	switch {
	case errors.Is(err, ErrEmbedExpired):
		return visitor{}, errExpired
	case err != nil:
		s.Log.Debug("an embed token was refused", "err", err)
		return visitor{}, errNotEmbed
	case !e.Framable(s.Auth.Parents):
		return visitor{}, errNotEmbed
	}
	return visitor{Identity: access.Frame(e), embed: e, frame: access.HashOf(token).ID()}, nil
}

var (
	errExpired  = errors.New("the embed token has expired")
	errNotEmbed = errors.New("not an embed token of ours")
)

// embedPage is what a token shows in its frame, complete, which the socket then keeps up to date.
func (s *Server) embedPage(c *fiber.Ctx) error {
	v, err := s.who(c)
	if err != nil {
		return err
	}
	roomID := param(c, "room_id")
	q, err := live.ParseQuestion(live.EmbedView(roomID), nil)
	if err == nil {
		q, err = v.asks(q)
	}
	if err != nil {
		return err
	}
	p, err := s.Hub.Page(q, s.shareOf(c, v))
	if err != nil {
		return err
	}
	return s.render(c, fiber.StatusOK, views.EmbedPage(views.EmbedData{Title: "Live", Live: s.below(p.Live), Epoch: p.Epoch, Seq: p.Seq, At: p.At, Root: p.Root,
		Parent: string(v.embed.Parent), Expires: v.embed.ExpiresAt, Open: views.EmbedPath(v.embed.Source, roomID)}))
}

// embedScriptFile is loaded by pages of other sites, which may check it by its hash.
func (s *Server) embedScriptFile(c *fiber.Ctx) error {
	asset, ok := static.Open("embed.js")
	if !ok {
		return fiber.ErrNotFound
	}
	c.Set(fiber.HeaderContentType, asset.Type)
	c.Set(fiber.HeaderCacheControl, "public, max-age=3600")
	c.Set("Cross-Origin-Resource-Policy", "cross-origin")
	c.Set(fiber.HeaderAccessControlAllowOrigin, "*")
	return c.Send(asset.Body)
}

// authProtocol begins the subprotocol in which a frame's socket names its token: browsers let a script set
// no header, and an address would be logged.
const authProtocol = "roomwatch.auth."

// socketVisitor is who opens a socket: a frame by its token, whatever cookie there may be, or whoever asks otherwise.
func (s *Server) socketVisitor(c *fiber.Ctx) (visitor, error) {
	var tokens []string
	for _, header := range values(c, "Sec-WebSocket-Protocol") {
		for one := range strings.SplitSeq(header, ",") {
			if token, ok := strings.CutPrefix(strings.TrimSpace(one), authProtocol); ok {
				tokens = append(tokens, token)
			}
		}
	}
	switch len(tokens) {
	case 0:
		return s.who(c)
	case 1:
		return s.embedded(tokens[0], time.Now())
	}
	return visitor{}, errNotEmbed
}

// refresh goes on with a fresh token, which must be for the same, and says whether it was. Who is no frame needs
// none: to such a one it means nothing.
func (s *Server) refresh(g *guest, token string) bool {
	if g.embed.Source == "" {
		return true
	}
	v, err := s.embedded(token, time.Now())
	if err != nil || !v.embed.Refreshes(g.embed) {
		return false
	}
	s.warden.prolong(g, v.embed.ExpiresAt)
	return true
}

// mintAsked is what a console's backend asks for.
type mintAsked struct {
	Source string `json:"source"`
	RoomID string `json:"room_id"`
	All    bool   `json:"all"`
	Parent string `json:"parent"`
	TTL    string `json:"ttl"`
	Mask   bool   `json:"mask"`
}

// mint hands out an embed token to whoever may have it.
func (s *Server) mint(c *fiber.Ctx) error {
	v, err := s.who(c)
	if err != nil {
		return err
	}
	var asked mintAsked
	if encoded(c) {
		return problem(c, fiber.StatusUnsupportedMediaType, "Encoded", "Send the body without Content-Encoding.")
	}
	if err := json.Unmarshal(c.BodyRaw(), &asked, json.RejectUnknownMembers(true)); err != nil {
		return problem(c, fiber.StatusBadRequest, "Bad body", "The body must be one JSON object with source, room_id or all, parent, ttl and mask.")
	}
	e, why := s.embedOf(asked, time.Now())
	if why == "" && !v.MayMint(e.EmbedScope) {
		s.audit(c, v, access.ActEmbedRefused, e.Source+"/"+e.RoomID, "unmasked")
		return problem(c, fiber.StatusForbidden, "Not allowed", "Names are masked for you: ask for a token with \"mask\": true.")
	}
	if why != "" {
		s.audit(c, v, access.ActEmbedRefused, asked.Source+"/"+asked.RoomID, why)
		return problem(c, fiber.StatusUnprocessableEntity, "Cannot be framed so", why)
	}
	token, err := s.keys.embed.Mint(e)
	if err != nil {
		return err
	}
	s.audit(c, v, access.ActEmbedMinted, e.Source+"/"+e.RoomID, string(e.Parent))
	return c.Status(fiber.StatusCreated).JSON(fiber.Map{"token": token, "expires_at": e.ExpiresAt, "url": s.embedURL(c, e, token)})
}

// embedOf is the embed that is asked for, or why there is none: a fixed text.
func (s *Server) embedOf(asked mintAsked, now time.Time) (e access.Embed, why string) {
	sources := s.Board.SourceNames()
	if asked.Source == "" && len(sources) == 1 {
		asked.Source = sources[0]
	}
	ttl, err := time.ParseDuration(asked.TTL)
	if asked.TTL == "" {
		ttl, err = access.MaxEmbed, nil
	}
	parent, notOrigin := access.ParseOrigin(asked.Parent)
	scope := access.EmbedScope{Source: asked.Source, RoomID: asked.RoomID, All: asked.All, Parent: parent, Mask: asked.Mask}
	switch {
	case !slices.Contains(sources, asked.Source):
		return e, "source must name one of the sources."
	case err != nil:
		return e, "ttl must be a time like 5m or 90s, at most 5m."
	case notOrigin != nil:
		return e, "parent must be a bare origin like https://support.example.org."
	case !scope.Framable(s.Auth.Parents):
		return e, "parent is not one of EMBED_PARENTS."
	}
	if e, err = access.NewEmbed(scope, now, ttl); err != nil {
		return e, sentence(err)
	}
	return e, ""
}

// embedURL is what to frame.
func (s *Server) embedURL(c *fiber.Ctx, e access.Embed, token string) string {
	u := url.URL{Scheme: "http", Host: c.Hostname(), Path: s.below("/embed"), RawQuery: url.Values{"token": {token}}.Encode()}
	if s.encrypted(c) {
		u.Scheme = "https"
	}
	if e.RoomID != "" {
		u.Path = s.below("/embed/rooms/" + e.RoomID)
		u.RawPath = s.below("/embed/rooms/" + url.PathEscape(e.RoomID))
	}
	return u.String()
}
