package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/redistest"
	"github.com/roomwatch/roomwatch/room"
)

// yesterday are the places in which an older version differs: it knows no titles, neither in entries nor in
// documents, and says so by its schema.
var yesterday = map[string][2]string{
	"room/event.go":         {`json:"title,omitempty"`, `json:"-"`},
	"room/said.go":          {`json:"title,omitempty"`, `json:"-"`},
	"store/redis.go":        {"const documentSchema = 2", "const documentSchema = 1"},
	"store/redis_append.go": {"logVersion = 1", "logVersion = 0"},
}

// buildYesterday is the program as it was before there were titles.
func buildYesterday(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	replaced := make(map[string]string)
	for path, change := range yesterday {
		text, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(text), change[0]) {
			t.Fatalf("%s has no %s: %v", path, change[0], err)
		}
		whole, err := filepath.Abs(path)
		if err != nil {
			t.Fatal(err)
		}
		replaced[whole] = filepath.Join(dir, strings.ReplaceAll(path, "/", "_"))
		if err := os.WriteFile(replaced[whole], []byte(strings.ReplaceAll(string(text), change[0], change[1])), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replaced})
	if err != nil {
		t.Fatal(err)
	}
	list, program := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "roomwatch")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-overlay", list, "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// titled tells the title of each room, which is taken by a replica that knows what that is.
func (f *fleet) titled(r *replica, rooms int) {
	f.t.Helper()
	for n := range rooms {
		d := posted{fmt.Sprint("EV_title_", n), fmt.Appendf(nil,
			`{"event":"room_started","room":{"sid":"s%d","room_id":"r%d","metadata":"{\"room_title\":\"Title %d\"}"},"id":"EV_title_%d","created_at":"%d"}`, n, n, n, n, f.begin+5)}
		f.sent = append(f.sent, d)
		if !post(r.client, r.url, d.body) {
			f.t.Fatalf("not taken: %s", d.body)
		}
	}
	f.rooms = max(f.rooms, rooms)
}

// Replicas are replaced one by one, while deliveries go on: two versions side by side on one Redis. What
// only the newer one understands is still there when the older ones are gone.
func TestTwoVersionsSideBySideLoseNothingThatOneOfThemDoesNotKnow(t *testing.T) {
	t.Parallel()
	old := buildYesterday(t)
	server := redistest.Start(t)
	f := &fleet{t: t, begin: time.Now().Add(-time.Hour).Unix()}
	a, b := startReplicaOf(t, old, server.URL()), startReplicaOf(t, old, server.URL())
	f.replicas = []*replica{a, b}
	f.leader()
	fresh := startReplica(t, server.URL())
	f.replicas = append(f.replicas, fresh)
	f.titled(fresh, 6)
	f.under(func() {
		for _, r := range []*replica{a, b} { // each with the file that the older version has left
			r.kill()
			r.program = ""
			r.run()
			await(t, "a replica of the new version is ready", r.ready)
		}
	})
	if schema := server.Must("GET {roomwatch}:schema"); schema != "2" {
		await(t, "the new version has written documents", func() bool { return server.Must("GET {roomwatch}:schema") == "2" })
	}
	control := f.control()
	f.alike(control, f.sids())
	f.once(f.ids())
	if picture := fresh.picture(f.sids()); !strings.Contains(picture, `"title":"Title 5"`) {
		t.Errorf("there are no titles: %s", picture)
	}

	// Going back: the older one takes and tells deliveries, and leads no more.
	back := startReplicaOf(t, old, server.URL())
	for _, r := range f.replicas {
		r.kill()
	}
	await(t, "nobody leads", func() bool { return server.Must("EXISTS {roomwatch}:leader") == ":0" })
	all := f.replicas
	f.replicas = []*replica{back}
	f.under(func() {
		if back.leads() {
			t.Error("the older version leads")
		}
	})
	f.once(f.ids())
	f.replicas = append(f.replicas, all...)
	for _, r := range all {
		r.run()
		await(t, "it is ready again", r.ready)
	}
	f.replicas = all
	f.alike(f.control(), f.sids())

	// A replica that was never there before has it all from the documents and the log.
	f.replicas = []*replica{startReplica(t, server.URL())}
	f.alike(f.control(), f.sids())
	var listed room.Page[room.Summary]
	f.replicas[0].get("/api/v1/sessions?q=title", &listed)
	if len(listed.Items) != 6 {
		t.Errorf("%d sessions are found by their titles", len(listed.Items))
	}
}
