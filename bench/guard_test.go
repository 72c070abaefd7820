//go:build linux

package main

import (
	"testing"
)

// Committed limits: what does not vary from run to run must not creep up. Lower them when they are beaten.
const (
	mostAllocations = 42   // of a delivery, from its token to its commit
	mostOfHTML      = 0.20 // of the HTML of a frame in which ten rooms changed goes over the wire
)

func TestADeliveryAllocatesNoMoreThanBefore(t *testing.T) {
	b := &bench{dir: t.TempDir()}
	allocations, err := b.allocated(4000)
	if err != nil {
		t.Fatal(err)
	}
	if t.Logf("%.1f allocations", allocations); allocations > mostAllocations*underRace {
		t.Errorf("a delivery allocates %.1f times, the limit is %v", allocations, mostAllocations)
	}
}

func TestAFrameIsNoLongerThanBefore(t *testing.T) {
	t.Chdir("..") // where the program is built from
	b := &bench{dir: t.TempDir()}
	figures, err := b.frameBytes(nil)
	if err != nil {
		t.Fatal(err)
	}
	f := figures[0]
	if t.Logf("%.0f bytes of %.0f", f.Value, f.Floor); f.Ratio > mostOfHTML || f.Value == 0 {
		t.Errorf("a frame of ten rows is %.0f bytes, %.3f of its HTML; the limit is %v", f.Value, f.Ratio, mostOfHTML)
	}
}
