package share_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/share"
)

var (
	ana   = share.Holder{Kind: share.Person, Name: "ana"}
	bo    = share.Holder{Kind: share.Person, Name: "bo"}
	frame = share.Holder{Kind: share.Frame, Name: "f", Address: "192.0.2.1"}
)

func TestOneHolderHasNoMoreThanAShare(t *testing.T) {
	p := share.New(share.Limits{Each: map[share.Kind]int{share.Person: 2}})
	for n, want := range []error{nil, nil, share.ErrOwn, share.ErrOwn} {
		if err := p.Take(ana, 1); err != want {
			t.Errorf("%d: %v, want %v", n, err, want)
		}
	}
	if err := p.Take(bo, 2); err != nil {
		t.Error("somebody else:", err)
	}
	p.Give(ana, 1)
	if err := p.Take(ana, 1); err != nil {
		t.Error("what was given back:", err)
	}
	if p.Held() != 4 || p.HeldBy(ana) != 2 {
		t.Errorf("%d are held, %d by one", p.Held(), p.HeldBy(ana))
	}
}

func TestTheReserveIsForThoseWhoAreKnown(t *testing.T) {
	p := share.New(share.Limits{All: 4, Reserve: 2})
	if err := errors.Join(p.Take(frame, 1), p.Take(share.Holder{Address: "192.0.2.9"}, 1)); err != nil {
		t.Fatal(err)
	}
	if err := p.Take(frame, 1); err != share.ErrFull {
		t.Errorf("a frame beyond: %v", err)
	}
	if err := errors.Join(p.Take(ana, 1), p.Take(bo, 1)); err != nil {
		t.Error("those who are known:", err)
	}
	if err := p.Take(ana, 1); err != share.ErrFull {
		t.Errorf("more than there is: %v", err)
	}
}

func TestAnAddressBoundsStrangersAndFramesTogether(t *testing.T) {
	p := share.New(share.Limits{From: 3})
	for n := range 3 {
		if err := p.Take(share.Holder{Kind: share.Frame, Name: fmt.Sprint(n), Address: "192.0.2.1"}, 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Take(frame, 1); err != share.ErrOwn {
		t.Errorf("another token at the address: %v", err)
	}
	if err := p.Take(share.Holder{Kind: share.Frame, Name: "f", Address: "192.0.2.2"}, 1); err != nil {
		t.Error("another address:", err)
	}
}

// Who waits gets what is given back, others before whoever had it last.
func TestThoseWhoWaitTakeTurns(t *testing.T) {
	p := share.New(share.Limits{All: 1})
	if err := p.Take(ana, 1); err != nil {
		t.Fatal(err)
	}
	got := make(chan share.Holder, 3)
	for n, who := range []share.Holder{ana, ana, bo} {
		go func() {
			if p.Wait(t.Context(), who) == nil {
				got <- who
			}
		}()
		for p.Waiting() != n+1 {
			time.Sleep(time.Millisecond)
		}
	}
	had := ana
	for n, want := range []share.Holder{bo, ana, ana} {
		p.Give(had, 1)
		if had = <-got; had != want {
			t.Errorf("turn %d is %v's", n, had)
		}
	}
}

func TestWhoDoesNotGetATurnIsToldWhy(t *testing.T) {
	p := share.New(share.Limits{All: 2, Each: map[share.Kind]int{share.Person: 1}})
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := errors.Join(p.Take(ana, 1), p.Take(bo, 1)); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(over, ana); err != share.ErrOwn {
		t.Error(err)
	}
	if err := p.Wait(over, share.Holder{Kind: share.Machine, Name: "m"}); err != share.ErrFull {
		t.Error(err)
	}
	if p.Waiting() != 0 {
		t.Error("somebody still waits")
	}
}

// What is written to a log has an end, however many are refused.
func TestRefusalsAreToldSeldom(t *testing.T) {
	p, now, lines := share.New(share.Limits{}), time.Unix(1e9, 0), 0
	for n := range 3000 {
		for range 3 {
			if p.Refuse(share.Holder{Address: fmt.Sprint(n)}, share.ErrOwn, now) {
				lines++
			}
		}
	}
	if own, full := p.Refused(); own != 9000 || full != 0 || lines > 500 {
		t.Errorf("%d and %d counted, %d told", own, full, lines)
	}
	if !p.Refuse(ana, share.ErrFull, now.Add(time.Hour)) {
		t.Error("an hour later it is news again")
	}
}
