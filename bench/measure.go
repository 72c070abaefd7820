//go:build linux

package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Nothing is judged by an absolute figure: machines differ, and are busy with other things. What is
// measured stands beside a floor that was measured in the same run, and only the ratio counts.

// tolerance is how far from its must a row may be and still be ok.
const tolerance = 0.15

// unsteady: a floor that moved by more than this within a repetition says that the machine did.
const unsteady = 2.0

// outcome is what one run of a variant measured, by name: deliveries a second, CPU of each, and so on.
type outcome map[string]float64

// run measures a variant once.
type run func() (outcome, error)

// figure is a row as it is printed. Its JSON is pinned.
type figure struct {
	Name   string  `json:"name"`
	Value  float64 `json:"value"`
	Floor  float64 `json:"floor"`
	Ratio  float64 `json:"ratio"`
	Goal   float64 `json:"goal"`
	Better string  `json:"better"` // higher or lower
	OK     bool    `json:"ok"`

	moonshot float64
	note     string // for readers of the table
}

const (
	higher = "higher"
	lower  = "lower"
)

// judge says whether the ratio is within the tolerance of the must.
func (f *figure) judge() {
	if f.Better == higher {
		f.OK = f.Ratio >= f.Goal*(1-tolerance)
	} else {
		f.OK = f.Ratio <= f.Goal*(1+tolerance)
	}
}

// repetition is one outcome of every variant, between two floors. Its floor is the mean of those.
type repetition struct {
	floor  outcome
	values []outcome
}

var errUnsteady = errors.New("the floor moved too much, again and again: the machine is too busy to measure on")

// interleave runs floor and variants in turn, F A B F A B F, until there are so many repetitions. One whose
// two floors differ too much is discarded and run again, as often again as repetitions were asked for.
func interleave(repetitions int, floor run, variants ...run) (kept []repetition, err error) {
	before, err := floor()
	if err != nil {
		return nil, err
	}
	for tries := 0; len(kept) < repetitions; tries++ {
		if tries == 2*repetitions {
			return nil, errUnsteady
		}
		var r repetition
		for _, variant := range variants {
			value, err := variant()
			if err != nil {
				return nil, err
			}
			r.values = append(r.values, value)
		}
		after, err := floor()
		if err != nil {
			return nil, err
		}
		if r.floor = between(before, after); moved(before, after) <= unsteady {
			kept = append(kept, r)
		}
		before = after
	}
	return kept, nil
}

// moved is by what factor two floors differ, in what they differ most.
func moved(a, b outcome) float64 {
	most := 1.0
	for name := range a {
		most = max(most, a[name]/b[name], b[name]/a[name])
	}
	return most
}

func between(a, b outcome) outcome {
	mean := make(outcome, len(a))
	for name := range a {
		mean[name] = math.Sqrt(a[name] * b[name])
	}
	return mean
}

// compare fills a figure: the median of the ratios, each of a repetition, of what one variant measured to
// what another, or with -1 the floor, did.
func compare(f figure, repetitions []repetition, variant int, measured string, to int, by string) figure {
	var values, floors, ratios []float64
	for _, r := range repetitions {
		value, floor := r.of(variant)[measured], r.of(to)[by]
		values, floors, ratios = append(values, value), append(floors, floor), append(ratios, value/floor)
	}
	f.Value, f.Floor, f.Ratio = median(values), median(floors), median(ratios)
	f.judge()
	return f
}

const theFloor = -1

func (r repetition) of(variant int) outcome {
	if variant == theFloor {
		return r.floor
	}
	return r.values[variant]
}

// single is a figure that does not vary from run to run. Without a floor it counts in its own unit.
func single(f figure, value, floor float64) figure {
	f.Value, f.Floor, f.Ratio = value, floor, value/floor
	f.judge()
	return f
}

// missing is a figure that could not be measured: never a pass.
func missing(f figure, why error) figure {
	f.note = fmt.Sprint("not measured: ", why)
	return f
}

func median(values []float64) float64 { return quantile(values, 0.5) }

// quantile is the value below which a share q of the values lies, between two values in proportion.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	at := q * float64(len(sorted)-1)
	low := int(at)
	if low == len(sorted)-1 {
		return sorted[low]
	}
	return sorted[low] + (at-float64(low))*(sorted[low+1]-sorted[low])
}
