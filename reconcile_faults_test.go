package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/simulate"
)

// world is a plugNmeet whose truth is what all of its deliveries say, told or lost.
type world struct {
	t        fatal
	sessions map[string]*room.Session
	order    []string
}

func (w *world) happen(bodies ...string) (told []simulate.Delivery) {
	for _, body := range bodies {
		now := time.Now()
		d, err := plugnmeet.Decode("default", []byte(body), now)
		if err != nil {
			w.t.Fatal(err)
		}
		s := w.sessions[d.SID]
		if s == nil {
			s = room.New(room.Key{Source: "default", SID: d.SID})
			w.sessions[d.SID] = s
			w.order = append(w.order, d.SID)
		}
		s.Apply(*d.Said)
		told = append(told, simulate.Delivery{At: now, Body: []byte(body)})
	}
	return told
}

func (w *world) truth() (out []room.Detail) {
	for _, sid := range w.order {
		out = append(out, w.sessions[sid].Detail())
	}
	return out
}

// Row 26: the room_id is used again at once, and the old session's room_finished comes late, under the new sid.
func TestFault26AStragglerEndsNothingAndTheAPIAgrees(t *testing.T) {
	w := &world{t: t, sessions: make(map[string]*room.Session)}
	start := time.Now().Add(-10 * time.Minute).Unix()
	told := w.happen(
		fmt.Sprintf(`{"event":"room_created","room":{"sid":"old","room_id":"hall","creation_time":"%d"},"id":"1","created_at":"%d"}`, start, start),
		fmt.Sprintf(`{"event":"participant_joined","room":{"sid":"old","room_id":"hall"},"participant":{"sid":"PA_1","identity":"ana","joined_at":"%d"},"id":"2","created_at":"%d"}`, start+5, start+5),
		fmt.Sprintf(`{"event":"session_ended","room":{"sid":"old","room_id":"hall","creation_time":"%d"},"id":"3","created_at":"%d"}`, start, start+60),
		fmt.Sprintf(`{"event":"room_created","room":{"sid":"new","room_id":"hall","creation_time":"%d"},"id":"4","created_at":"%d"}`, start+61, start+61),
		fmt.Sprintf(`{"event":"participant_joined","room":{"sid":"new","room_id":"hall"},"participant":{"sid":"PA_2","identity":"ana","joined_at":"%d"},"id":"5","created_at":"%d"}`, start+65, start+65),
		fmt.Sprintf(`{"event":"room_finished","room":{"sid":"new","room_id":"hall","creation_time":"%d"},"id":"6","created_at":"%d"}`, start+2, start+70),
	)
	c, end := openChecked(t, 0, w.truth)
	defer end()
	c.hear(append(told[:2:2], told[3:]...)...) // its own end is lost, too
	d, err := c.Detail(t.Context(), "default", "old")
	if err != nil || d.State != room.StateEnded || d.EndedBy != room.BySuccessor {
		t.Errorf("the old session is %s by %q, %v", d.State, d.EndedBy, err)
	}
	c.rounds(3)
	d, err = c.Detail(t.Context(), "default", "new")
	if err != nil || d.State != room.StateLive || d.People != 1 || d.Trust != room.TrustConfirmed {
		t.Errorf("the new session is %s, %s with %d people, %v", d.State, d.Trust, d.People, err)
	}
}

// Row 27: what a mass leave in disorder lost, a check finds within two polls.
func TestFault27WhatAMassLeaveLostIsPutRightWithinTwoPolls(t *testing.T) {
	const people = 1000
	w := &world{t: t, sessions: make(map[string]*room.Session)}
	start := time.Now().Add(-10 * time.Minute).Unix()
	event := func(name string, n int, at int64) string {
		return fmt.Sprintf(`{"event":"participant_%s","room":{"sid":"mass","room_id":"hall"},"participant":{"sid":"PA_%d","identity":"u%d","joined_at":"%d"},"id":"%s%d","created_at":"%d"}`, name, n, n, start+int64(n%60), name, n, at)
	}
	var joins, leaves []string
	for n := range people {
		joins, leaves = append(joins, event("joined", n, start+int64(n%60))), append(leaves, event("left", n, start+300))
	}
	c, end := openChecked(t, 0, w.truth)
	defer end()
	rng := rand.New(rand.NewPCG(27, 2))
	c.hear(disordered(rng, w.happen(joins...), 0)...)
	c.rounds(1)
	c.hear(disordered(rng, w.happen(leaves...), 0.1)...)
	d, err := c.Detail(t.Context(), "default", "mass")
	if err != nil || d.People < people/20 {
		t.Fatalf("%d people are left, %v", d.People, err)
	}
	left := d.People
	c.rounds(2)
	d, err = c.Detail(t.Context(), "default", "mass")
	if err != nil || d.People != 0 || d.State != room.StateLive {
		t.Errorf("%s with %d people after two polls, %v", d.State, d.People, err)
	}
	if n := len(d.Corrections); n == 0 || d.Corrections[n-1].PeopleGone != left || !strings.Contains(d.Corrections[n-1].Text, "people had left") {
		t.Errorf("%d were left, and it says %+v", left, d.Corrections)
	}
}

// disordered shuffles, tells a tenth twice, and loses a share.
func disordered(rng *rand.Rand, all []simulate.Delivery, lose float64) (told []simulate.Delivery) {
	for _, d := range all {
		if rng.Float64() < lose {
			continue
		}
		if told = append(told, d); rng.IntN(10) == 0 {
			told = append(told, d)
		}
	}
	rng.Shuffle(len(told), func(i, j int) { told[i], told[j] = told[j], told[i] })
	return told
}

// Deliveries that stop altogether while both ends run show as a gap, once a check has found out.
func TestAnOutageThatACheckFindsIsAGap(t *testing.T) {
	start := time.Now().Add(-time.Hour)
	life := simulate.Plan{Seed: 31, Rooms: 8, Start: start, Memory: 1 << 20}.Begin()
	var before, lost []simulate.Delivery
	for d := range life.Until(start.Add(30 * time.Minute)) {
		before = append(before, d)
	}
	truth := life.Truth()
	c, end := openChecked(t, 0, func() []room.Detail { return truth })
	defer end()
	c.hear(before...)
	c.rounds(2)
	if g := c.Gaps("default", start, time.Time{}); len(g) != 0 {
		t.Fatalf("%+v", g)
	}
	for d := range life.Until(start.Add(time.Hour)) {
		lost = append(lost, d)
	}
	truth = life.Truth()
	c.rounds(1)
	g := c.Gaps("default", start, time.Time{})
	if len(lost) < 50 || len(g) != 1 || !strings.HasPrefix(g[0].Why, "deliveries were lost: a check found ") {
		t.Errorf("%d were lost: %+v", len(lost), g)
	}
}
