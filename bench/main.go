//go:build linux

// The bench measures Roomwatch against floors and peers, each a process of its own on loopback, in turn, and
// judges ratios only. Run it from the root of the repository: go run ./bench [--quick] [--json] [--rows 1,2,4].
// docs/performance.md tells what each row is.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// group is some rows that are measured together.
type group struct {
	rows    []int
	measure func(*bench, map[int]bool) ([]figure, error)
}

var groups = []group{
	{[]int{1, 2, 3}, (*bench).deliveries},
	{[]int{4}, (*bench).allocations},
	{[]int{5}, (*bench).replicas},
	{[]int{6, 7, 8}, (*bench).frames},
	{[]int{9}, (*bench).frameBytes},
	{[]int{10}, (*bench).latency},
	{[]int{11}, (*bench).idleViewers},
	{[]int{12}, (*bench).deafViewers},
	{[]int{13}, (*bench).startUp},
	{[]int{14}, (*bench).manyRooms},
	{[]int{15}, (*bench).manyViews},
	{[]int{16}, (*bench).participants},
	{[]int{17}, (*bench).history},
	{[]int{18}, (*bench).firstView},
	{[]int{22}, (*bench).slowSearches},
}

// quickRows are those of --quick: under two minutes.
var quickRows = []int{1, 2, 4, 6, 7, 14, 16}

func main() {
	if len(os.Args) > 2 && os.Args[1] == "floor" {
		fail(floors[os.Args[2]](os.Args[3:]))
		return
	}
	quick := flag.Bool("quick", false, "rows 1, 2, 4, 6, 7, 14 and 16, three repetitions: under two minutes")
	asJSON := flag.Bool("json", false, "one JSON object a line instead of a table")
	only := flag.String("rows", "", "measure these rows only, for example 1,2,4")
	profiles := flag.String("profiles", "", "keep CPU profiles of Roomwatch's first seconds in this folder")
	profiled := flag.Int("profile-seconds", 4, "how many seconds")
	scale := flag.Bool("scale", false, "measure very large installations instead: memory, start, CPU, in absolute figures")
	report := flag.String("report", "", "draw how costs grow into this folder instead")
	attack := flag.Duration("attack", 0, "attack Roomwatch in every way for so long instead, and say what honest operators feel")
	flag.Parse()
	rows, err := wanted(*only, *quick)
	fail(err)
	b := &bench{repetitions: 5, quick: *quick, profiles: *profiles, profiled: *profiled, made: make(map[string]bool)}
	if *quick {
		b.repetitions = 3
	}
	switch {
	case *attack > 0:
		fail(b.in(func() error { return b.attack(*attack) }))
	case *scale:
		fail(b.in(b.scale))
	case *report != "":
		fail(b.in(func() error { return b.report(*report) }))
	default:
		fail(b.in(func() error { return b.measureAll(rows, *asJSON) }))
	}
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// wanted reads the list of rows.
func wanted(only string, quick bool) (map[int]bool, error) {
	rows, known := make(map[int]bool), make(map[int]bool)
	for _, g := range groups {
		for _, row := range g.rows {
			known[row] = true
		}
	}
	switch {
	case only != "":
		for text := range strings.SplitSeq(only, ",") {
			row, err := strconv.Atoi(strings.TrimSpace(text))
			if err != nil || !known[row] {
				return nil, fmt.Errorf("--rows: %q is not a row from 1 to 18, or 22", text)
			}
			rows[row] = true
		}
	case quick:
		for _, row := range quickRows {
			rows[row] = true
		}
	default:
		return known, nil
	}
	return rows, nil
}

// in gives work a folder that is removed after it.
func (b *bench) in(work func() error) (err error) {
	if b.dir, err = os.MkdirTemp("", "roomwatch-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	return work()
}

// measureAll measures group by group and prints each as soon as it is known.
func (b *bench) measureAll(rows map[int]bool, asJSON bool) error {
	if !asJSON {
		fmt.Printf("%-52s %12s %12s %9s %9s %9s\n", "", "value", "floor", "ratio", "must", "moonshot")
	}
	unmeasured := 0
	for _, g := range groups {
		if !anyOf(rows, g.rows) {
			continue
		}
		figures, err := g.measure(b, rows)
		if err != nil {
			return fmt.Errorf("rows %v: %w", g.rows, err)
		}
		for _, f := range figures {
			if row, _ := strconv.Atoi(strings.Fields(f.Name)[0]); !rows[row] {
				continue
			}
			if f.Ratio == 0 {
				unmeasured++
			}
			if err := print(f, asJSON); err != nil {
				return err
			}
		}
	}
	if unmeasured > 0 {
		return fmt.Errorf("%d rows could not be measured", unmeasured)
	}
	return nil
}

func anyOf(rows map[int]bool, of []int) bool {
	for _, row := range of {
		if rows[row] {
			return true
		}
	}
	return false
}

func print(f figure, asJSON bool) error {
	if asJSON {
		if f.Ratio == 0 {
			fmt.Fprintln(os.Stderr, "bench:", f.Name+":", f.note)
		}
		return json.NewEncoder(os.Stdout).Encode(f)
	}
	verdict := "ok"
	if !f.OK {
		verdict = "NOT MET"
	}
	sign := "≤"
	if f.Better == higher {
		sign = "≥"
	}
	_, err := fmt.Printf("%-52s %12.4g %12.4g %9.3f %s %7g %s %7g  %s  %s\n", f.Name, f.Value, f.Floor, f.Ratio, sign, f.Goal, sign, f.moonshot, verdict, f.note)
	return err
}
