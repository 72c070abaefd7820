//go:build screenshots

package main

import (
	"bytes"
	"cmp"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/simulate"
)

// `make screenshots` draws the pages of a simulated day into docs/screenshots: the same rooms, people and
// ages every time, at the time of day at which it is run.
func TestScreenshots(t *testing.T) {
	const dir = "docs/screenshots"
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	h := startDay(t, simulate.Plan{Seed: 1, Rooms: 24, Start: now.Add(-demoHistory)}, now).browse(t)
	pages := []pageAt{
		{name: "overview", path: "/", living: true}, {name: "sessions", path: "/sessions", living: true}, {name: "recordings", path: "/recordings", living: true},
		{name: "artifacts", path: "/artifacts", living: true}, {name: "intake", path: "/intake", living: true},
		{name: "room", path: "/rooms/" + h.telling("live"), living: true}, {name: "room-ended", path: "/rooms/" + h.telling("ended"), living: true},
	}
	h.b.visit(h.URL())
	for _, theme := range []string{"light", "dark"} {
		h.b.do(chromedp.Evaluate(fmt.Sprintf(`localStorage.setItem("roomwatch.theme", %q)`, theme), nil))
		for _, size := range [][2]int64{{1440, 900}, {390, 844}} {
			h.b.do(emulation.SetDeviceMetricsOverride(size[0], size[1], 1, false))
			for _, p := range pages {
				h.open(t, p)
				h.b.do(chromedp.Sleep(300 * time.Millisecond)) // fonts and icons are drawn
				var picture []byte
				h.b.do(chromedp.CaptureScreenshot(&picture))
				name := fmt.Sprintf("%s-%s-%d.png", p.name, theme, size[0])
				if err := os.WriteFile(filepath.Join(dir, name), smaller(t, picture), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// smaller is the picture in 256 colours: those that it has most of, of which no two are nearly the same.
func smaller(t *testing.T, picture []byte) []byte {
	t.Helper()
	from, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		t.Fatal(err)
	}
	counts := make(map[color.RGBA]int)
	box := from.Bounds()
	at := func(x, y int) color.RGBA { return color.RGBAModel.Convert(from.At(x, y)).(color.RGBA) }
	for y := range box.Max.Y {
		for x := range box.Max.X {
			counts[at(x, y)]++
		}
	}
	colors := slices.SortedFunc(maps.Keys(counts), func(a, b color.RGBA) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a.R, b.R), cmp.Compare(a.G, b.G), cmp.Compare(a.B, b.B))
	})
	var palette color.Palette
	for apart := 40; apart >= 0 && len(palette) < 256; apart -= 5 {
		for _, c := range colors {
			if len(palette) < 256 && !slices.ContainsFunc(palette, func(p color.Color) bool { return distance(c, p.(color.RGBA)) <= apart }) {
				palette = append(palette, c)
			}
		}
	}
	to, nearest := image.NewPaletted(box, palette), make(map[color.RGBA]uint8)
	for _, c := range colors {
		nearest[c] = uint8(palette.Index(c))
	}
	for y := range box.Max.Y {
		for x := range box.Max.X {
			to.SetColorIndex(x, y, nearest[at(x, y)])
		}
	}
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, to); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func distance(a, b color.RGBA) int {
	of := func(a, b uint8) int { return max(int(a)-int(b), int(b)-int(a)) }
	return of(a.R, b.R) + of(a.G, b.G) + of(a.B, b.B)
}

// telling is the session in a state of which there is most to see.
func (h *house) telling(state string) string {
	h.t.Helper()
	var page room.Page[room.Summary]
	h.await("sessions are listed", func() bool {
		h.get("/api/v1/sessions?limit=200&state="+state, &page)
		return len(page.Items) > 8
	})
	return slices.MaxFunc(page.Items, func(a, b room.Summary) int { return cmp.Compare(much(a), much(b)) }).SID
}

// much is how much there is to see of a session: many people, but not more lanes than a page holds.
func much(s room.Summary) int {
	n := min(s.PeopleSeen, 24-s.PeopleSeen) + 4*min(s.Artifacts, 4) + 2*s.Screens
	if s.RecordingState != "" {
		n += 8
	}
	return n + 5*s.StreamsActive
}
