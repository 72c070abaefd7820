package simulate_test

import (
	"bytes"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/simulate"
)

var start = time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)

// lived is a life after a time, and what it told in that time.
func lived(t testing.TB, plan simulate.Plan, length time.Duration) (*simulate.Life, []simulate.Delivery) {
	t.Helper()
	if err := plan.Validate(); err != nil {
		t.Fatal(err)
	}
	plan.Start, plan.Memory = start, 1<<20
	life := plan.Begin()
	told := slices.Collect(life.Until(start.Add(length)))
	return life, slices.AppendSeq(told, life.Held())
}

func same(a, b simulate.Delivery) bool { return a.At.Equal(b.At) && bytes.Equal(a.Body, b.Body) }

func TestASeedIsOneLife(t *testing.T) {
	plan := simulate.Plan{Seed: 7, Rooms: 4, Duplicate: 0.1, Drop: 0.1, Late: 0.1, Shuffle: true}
	_, once := lived(t, plan, 2*time.Hour)
	_, again := lived(t, plan, 2*time.Hour)
	if !slices.EqualFunc(once, again, same) || len(once) < 300 {
		t.Errorf("the same seed made %d and %d deliveries", len(once), len(again))
	}
	plan.Seed = 8
	if _, other := lived(t, plan, 2*time.Hour); slices.EqualFunc(once[:20], other[:20], same) {
		t.Error("another seed makes the same life")
	}
}

func TestLifeGoesOnWhereItWasLeft(t *testing.T) {
	_, whole := lived(t, simulate.Plan{Seed: 3, Rooms: 8}, time.Hour)
	life := simulate.Plan{Seed: 3, Rooms: 8, Start: start}.Begin()
	var parts []simulate.Delivery
	for range 60 {
		for d := range life.Until(life.Now().Add(time.Minute)) {
			if parts = append(parts, d); len(parts)%10 == 0 {
				break
			}
		}
		parts = slices.AppendSeq(parts, life.Until(life.Now()))
	}
	parts = slices.AppendSeq(parts, life.Until(start.Add(time.Hour)))
	parts = slices.AppendSeq(parts, life.Held())
	if !life.Now().Equal(start.Add(time.Hour)) {
		t.Errorf("life has come to %v", life.Now())
	}
	if !slices.EqualFunc(whole, parts, same) {
		t.Errorf("in one go %d, in parts %d deliveries, or others", len(whole), len(parts))
	}
}

// set counts how often each body is there.
func set(told []simulate.Delivery) map[string]int {
	bodies := make(map[string]int)
	for _, d := range told {
		bodies[string(d.Body)]++
	}
	return bodies
}

func TestDisorderIsOfTheDeliveryAlone(t *testing.T) {
	plan := simulate.Plan{Seed: 5, Rooms: 8}
	_, orderly := lived(t, plan, time.Hour)
	plan.Duplicate, plan.Late, plan.Shuffle = 0.25, 0.1, true
	_, disorderly := lived(t, plan, time.Hour)
	all := set(disorderly)
	twice := 0
	for body, n := range all {
		if n == 2 {
			twice++
		}
		all[body] = 1
	}
	if !maps.Equal(all, set(orderly)) {
		t.Error("other things happened")
	}
	if share := float64(twice) / float64(len(orderly)); share < 0.2 || share > 0.3 {
		t.Errorf("%.2f of the deliveries came twice", share)
	}
	due := make(map[string]time.Time)
	for _, d := range orderly {
		due[string(d.Body)] = d.At
	}
	late, soon := 0, 0
	for _, d := range disorderly {
		switch after := d.At.Sub(due[string(d.Body)]); {
		case after > time.Minute:
			late++
		case after > time.Second:
			soon++
		}
	}
	if share := float64(late) / float64(len(disorderly)); share < 0.07 || share > 0.13 || soon < len(orderly)/2 {
		t.Errorf("%.2f of the deliveries came late, %d a little", share, soon)
	}
}

func TestDroppedDeliveriesAreMissing(t *testing.T) {
	plan := simulate.Plan{Seed: 5, Rooms: 4}
	_, whole := lived(t, plan, time.Hour)
	plan.Drop = 0.2
	_, less := lived(t, plan, time.Hour)
	if share := float64(len(less)) / float64(len(whole)); share < 0.7 || share > 0.9 {
		t.Errorf("%.2f of the deliveries came", share)
	}
}

func TestNoMoreIsHeldThanFits(t *testing.T) {
	life := simulate.Plan{Seed: 1, Pace: 1000, Late: 1, Start: start}.Begin()
	n := 0
	for range life.Until(start.Add(7 * time.Second)) {
		n++
	}
	held := 0
	for range life.Held() {
		held++
	}
	if held > 4200 || held+n < 4500 {
		t.Errorf("%d held, %d sent", held, n)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	plan := simulate.Plan{Seed: 1, Rooms: 4, Start: start, Memory: 20, Late: 0.05, Duplicate: 0.05, Shuffle: true}
	life := plan.Begin()
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	n := 0
	live := func(hours time.Duration) {
		for range life.Until(life.Now().Add(hours * time.Hour)) {
			n++
		}
	}
	live(3)
	before := heap()
	live(12)
	if grown := int64(heap()) - int64(before); grown > 2<<20 {
		t.Errorf("%d kB more after %d deliveries", grown>>10, n)
	}
	if truth := life.Truth(); len(truth) > 20+4*6 {
		t.Errorf("remembers %d sessions", len(truth))
	}
}

func TestHurryMakesTheRestOfLifeShorter(t *testing.T) {
	count := func(life *simulate.Life, d time.Duration) (n int) {
		for range life.Until(life.Now().Add(d)) {
			n++
		}
		return n
	}
	life := simulate.Plan{Seed: 2, Rooms: 12, Start: start}.Begin()
	count(life, time.Hour)
	slow := count(life, time.Hour)
	life.Hurry(20)
	if fast := count(life, time.Hour/20); fast < slow/2 || fast > slow*2 {
		t.Errorf("%d deliveries in an hour, %d in the three minutes that it is at pace 20", slow, fast)
	}
}

func TestRateIsWhatAPlanMakes(t *testing.T) {
	plan := simulate.Plan{Seed: 4, Rooms: 12, Start: start}
	plan.Pace = 100 / plan.Rate()
	life := plan.Begin()
	warm := time.Duration(float64(time.Hour) / plan.Pace)
	for range life.Until(start.Add(warm)) { // not all rooms are open yet
	}
	n := 0
	for range life.Until(start.Add(warm + 20*time.Second)) {
		n++
	}
	if n < 1300 || n > 2700 {
		t.Errorf("%d deliveries in 20 seconds, want about 2000", n)
	}
}

func TestPlansOutOfBoundsAreRefused(t *testing.T) {
	for want, plan := range map[string]simulate.Plan{
		"rooms": {Rooms: -1}, "people": {People: 2000}, "pace": {Pace: -1}, "memory": {Memory: -1},
		"drop": {Drop: 1.5}, "late": {Late: -0.1}, "duplicate": {Duplicate: 2},
	} {
		if err := plan.Validate(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	if err := (simulate.Plan{}).Validate(); err != nil {
		t.Error(err)
	}
}
