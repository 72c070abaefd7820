//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"math"
	"testing"
)

// in turn gives the outcomes one after the other, and the last one from then on.
func inTurn(name string, log *string, values ...float64) run {
	n := 0
	return func() (outcome, error) {
		*log += name
		value := values[min(n, len(values)-1)]
		n++
		return outcome{"cpu": value}, nil
	}
}

func TestRepetitionsStandBetweenTwoFloors(t *testing.T) {
	var order string
	kept, err := interleave(2, inTurn("F", &order, 1, 4, 4), inTurn("A", &order, 10, 20), inTurn("B", &order, 5))
	if err != nil || order != "FABFABFABF" {
		t.Fatalf("ran %s, %v", order, err)
	}
	// The first repetition's floor moved from 1 to 4: it does not count.
	if len(kept) != 2 || kept[0].floor["cpu"] != 4 || kept[0].values[0]["cpu"] != 20 {
		t.Errorf("kept %v", kept)
	}
}

func TestAMachineThatNeverRestsIsSaidSo(t *testing.T) {
	var order string
	_, err := interleave(2, inTurn("F", &order, 1, 3, 1, 3, 1, 3, 1, 3), inTurn("A", &order, 1))
	if !errors.Is(err, errUnsteady) || order != "FAFAFAFAF" {
		t.Errorf("ran %s, %v", order, err)
	}
}

func TestRatiosArePairedBeforeTheirMedianIsTaken(t *testing.T) {
	kept := []repetition{
		{outcome{"cpu": 1}, []outcome{{"cpu": 2}}},
		{outcome{"cpu": 10}, []outcome{{"cpu": 30}}}, // a slow moment is slow for both
		{outcome{"cpu": 2}, []outcome{{"cpu": 2}}},
	}
	f := compare(figure{Goal: 2, Better: lower}, kept, 0, "cpu", theFloor, "cpu")
	if f.Ratio != 2 || f.Value != 2 || f.Floor != 2 || !f.OK {
		t.Errorf("%+v", f)
	}
}

func TestOKIsWithinFifteenInAHundredOfTheMust(t *testing.T) {
	for _, c := range []struct {
		better      string
		ratio, goal float64
		ok          bool
	}{
		{higher, 0.35, 0.40, true}, {higher, 0.33, 0.40, false}, {higher, 9, 0.40, true},
		{lower, 3.2, 2.8, true}, {lower, 3.3, 2.8, false}, {lower, 0.1, 2.8, true},
		{lower, math.NaN(), 1, false}, {higher, math.NaN(), 1, false},
	} {
		f := figure{Better: c.better, Ratio: c.ratio, Goal: c.goal}
		if f.judge(); f.OK != c.ok {
			t.Errorf("%+v", f)
		}
	}
}

func TestQuantiles(t *testing.T) {
	values := []float64{4, 1, 3, 2}
	for q, want := range map[float64]float64{0: 1, 0.5: 2.5, 1: 4} {
		if got := quantile(values, q); got != want {
			t.Errorf("%v: %v, want %v", q, got, want)
		}
	}
	if values[0] != 4 {
		t.Error("the values were put in order")
	}
}

func TestAFigureIsOneObjectOfSevenMembers(t *testing.T) {
	line, err := json.Marshal(single(figure{Name: "n", Goal: 40, Better: lower, moonshot: 1, note: "x"}, 30, 1))
	if want := `{"name":"n","value":30,"floor":1,"ratio":30,"goal":40,"better":"lower","ok":true}`; err != nil || string(line) != want {
		t.Errorf("%s %v", line, err)
	}
	if f := missing(figure{Goal: 0.2, Better: lower}, errors.New("no redis-server")); f.OK {
		t.Error("what was not measured passed")
	}
}
