//go:build linux

package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
)

// curve is how a cost grows. x is drawn in powers of ten, y from zero on.
type curve struct {
	title, unit, of string
	points, floor   []point
}

type point struct{ x, y float64 }

// The drawing, in pixels.
const (
	curveWidth, curveHeight = 640, 300
	left, right, top, foot  = 64, 24, 44, 44
)

// draw writes the curve as an SVG that reads on light and dark pages.
func (c curve) draw(path string) error {
	lowest, highest, most := math.Log10(c.points[0].x), math.Log10(c.points[len(c.points)-1].x), 0.0
	for _, p := range append(append([]point(nil), c.points...), c.floor...) {
		most = max(most, p.y)
	}
	step := math.Pow(10, math.Floor(math.Log10(most)))
	for most/step < 4 {
		step /= 2
	}
	ceiling := math.Ceil(most/step) * step
	x := func(v float64) float64 {
		return left + (math.Log10(v)-lowest)/(highest-lowest)*(curveWidth-left-right)
	}
	y := func(v float64) float64 { return curveHeight - foot - v/ceiling*(curveHeight-top-foot) }

	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="%s">`+"\n",
		curveWidth, curveHeight, curveWidth, curveHeight, c.title)
	fmt.Fprintf(&out, `<rect width="%d" height="%d" rx="8" fill="#fff"/>`+"\n", curveWidth, curveHeight)
	fmt.Fprintf(&out, `<text x="%d" y="26" font-size="15" font-weight="600" fill="#111">%s</text>`+"\n", left, c.title)
	for v := 0.0; v <= ceiling+step/2; v += step {
		fmt.Fprintf(&out, `<path d="M%d %.1fH%d" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end" fill="#555">%.4g %s</text>`+"\n",
			left, y(v), curveWidth-right, left-8, y(v)+4, v, c.unit)
	}
	legend := curveWidth - right
	line := func(points []point, colour, name string) {
		path := ""
		for i, p := range points {
			path += fmt.Sprintf("%c%.1f %.1f", "ML"[min(i, 1)], x(p.x), y(p.y))
			fmt.Fprintf(&out, `<circle cx="%.1f" cy="%.1f" r="4" fill="%s"/>`+"\n", x(p.x), y(p.y), colour)
		}
		fmt.Fprintf(&out, `<path d="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", path, colour)
		fmt.Fprintf(&out, `<text x="%d" y="26" text-anchor="end" fill="%s">● %s</text>`+"\n", legend, colour, name)
		legend -= 100
	}
	for _, p := range c.points {
		fmt.Fprintf(&out, `<text x="%.1f" y="%d" text-anchor="middle" fill="#555">%s</text>`+"\n", x(p.x), curveHeight-foot+20, grouped(int(p.x)))
	}
	fmt.Fprintf(&out, `<text x="%d" y="%d" text-anchor="end" fill="#555">%s</text>`+"\n", curveWidth-right, curveHeight-6, c.of)
	line(c.points, "#1d4ed8", "Roomwatch")
	if len(c.floor) > 0 {
		line(c.floor, "#6b7280", "write(2)")
	}
	out.WriteString("</svg>\n")
	return os.WriteFile(path, out.Bytes(), 0o644)
}

// grouped is a number as it is written: 10,000.
func grouped(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", grouped(n/1000), n%1000)
}
