package main

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/redistest"
	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/simulate"
)

func TestCheckReadsTheIntakeInWords(t *testing.T) {
	now := time.Now()
	taken := room.Delivery{ReceivedAt: now.Add(-3 * time.Second), Event: "room_created", RoomID: "room01", Verdict: room.Accepted, LagMS: 400}
	late := taken
	late.LagMS = 412_000
	refused := room.Delivery{ReceivedAt: now.Add(-time.Minute), Source: "emea", Verdict: room.Refused, Reason: "expired 412 s ago: check the clocks"}
	corrected := room.Delivery{ReceivedAt: now.Add(-time.Second), Event: room.EventCorrection, RoomID: "room01", Verdict: room.Accepted, Reason: "found"}
	ended := corrected
	ended.Event = room.KindAbsent.String()
	old := refused
	old.ReceivedAt = now.Add(-2 * time.Hour)
	for name, c := range map[string]struct {
		recent []room.Delivery
		says   []string
		silent string
	}{
		"nothing came":            {nil, []string{"client.webhook_conf.enable"}, "clocks"},
		"the webhook is off":      {[]room.Delivery{corrected, ended}, []string{"look intake nothing is delivered", "no delivery was ever taken", "client.webhook_conf.enable"}, "clocks"},
		"a check came last":       {[]room.Delivery{corrected, taken}, []string{`room_created of room "room01", came 3s ago`}, "look"},
		"all is well":             {[]room.Delivery{taken}, []string{`room "room01", came 3s ago`, "agree to 0s"}, "look"},
		"the clocks disagree":     {[]room.Delivery{late}, []string{"6m52s after", "clocks"}, ""},
		"something was refused":   {[]room.Delivery{refused, taken}, []string{`1 refused in the last hour, the newest of source "emea": expired 412 s ago`}, ""},
		"it was refused long ago": {[]room.Delivery{taken, old}, []string{"came 3s ago"}, "refused"},
	} {
		var text strings.Builder
		for _, f := range checkIntake(c.recent, now) {
			text.WriteString(f.state + " " + f.about + " " + f.text + "\n")
		}
		for _, want := range c.says {
			if !strings.Contains(text.String(), want) {
				t.Errorf("%s: %q does not say %q", name, text.String(), want)
			}
		}
		if c.silent != "" && strings.Contains(text.String(), c.silent) {
			t.Errorf("%s: %q says %q", name, text.String(), c.silent)
		}
	}
}

func TestCheckSaysThatDeliveriesHaveStoppedThoughRoomsRun(t *testing.T) {
	now := time.Now()
	taken := room.Delivery{ReceivedAt: now.Add(-3 * time.Hour), Event: "room_created", RoomID: "room01", Verdict: room.Accepted}
	corrected := room.Delivery{ReceivedAt: now, Event: room.EventCorrection, Verdict: room.Accepted}
	for name, c := range map[string]struct {
		recent  []room.Delivery
		running int
		says    bool
	}{
		"rooms run":            {[]room.Delivery{corrected, taken}, 3, true},
		"no room runs":         {[]room.Delivery{corrected, taken}, 0, false},
		"one has just come":    {[]room.Delivery{{ReceivedAt: now, Event: "room_created", Verdict: room.Accepted}, taken}, 3, false},
		"none has ever come":   {[]room.Delivery{corrected}, 3, false}, // that is said otherwise
		"nothing was recorded": {nil, 3, false},
	} {
		if f := checkSilence(c.recent, c.running, now); strings.Contains(f.text, "3 rooms run, and the newest delivery came 3h0m0s ago") != c.says {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

// However much was put right since, the last delivery is found.
func TestCheckLooksBehindCorrectionsForADelivery(t *testing.T) {
	pages := [][]room.Delivery{{{Event: room.EventCorrection, Verdict: room.Accepted}}, {{Event: "end_asked", Verdict: room.Accepted}}, {{Event: "room_created", Verdict: room.Accepted}}, {{Event: "too far"}}}
	asked := 0
	recent, err := newest(func(cursor string) (room.Page[room.Delivery], error) {
		asked++
		return room.Page[room.Delivery]{Items: pages[asked-1], Next: "x"}, nil
	})
	if err != nil || asked != 3 || len(recent) != 3 {
		t.Errorf("%d pages, %+v, %v", asked, recent, err)
	}
}

func TestCheckWorksBesideAServeAndWithoutOne(t *testing.T) {
	dir := t.TempDir()
	check := func(more ...string) (string, int) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		cmd := command(t, dir, append([]string{"check", "--auth=none", "--store=file:record.db", "--api-key=" + testKey, "--api-secret=" + string([]byte(testSecret))}, more...)...)
		out, _ := runWithin(ctx, cmd)
		return out, cmd.ProcessState.ExitCode()
	}
	p := startProcess(t, dir)
	_ = p.Process.Signal(os.Interrupt)
	_ = p.Wait()
	if out, code := check("--listen=127.0.0.1:0"); code != 0 || !strings.Contains(out, "no serve holds it now") {
		t.Errorf("without a serve: %d, %s", code, out)
	}
	p = startProcess(t, dir)
	defer func() { _ = p.Process.Kill(); _ = p.Wait() }()
	if out, code := check("--listen=" + strings.TrimPrefix(p.url, "http://")); code != 0 || !strings.Contains(out, "holds it and answers") {
		t.Errorf("beside a serve: %d, %s", code, out)
	}
	if out, code := check("--listen=0.0.0.0:1"); code != 1 || !strings.Contains(out, "WRONG") || !strings.Contains(out, "loopback") {
		t.Errorf("with settings that serve refuses: %d, %s", code, out)
	}
}

// Of a replica its file is read, too: what waits in it, and what came in.
func TestCheckReadsTheFileOfAReplica(t *testing.T) {
	t.Parallel()
	port := redistest.FreePort(t)
	r := startReplica(t, fmt.Sprintf("redis://127.0.0.1:%d", port))
	check := func() string {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		cmd := command(t, r.dir, append([]string{"check"}, r.args[1:len(r.args)-1]...)...)
		cmd.Env = append(cmd.Env, "ROOMWATCH_API_KEY="+testKey, "ROOMWATCH_API_SECRET="+string([]byte(testSecret)), "ROOMWATCH_SECRET="+string([]byte(ourSecret)))
		out, _ := runWithin(ctx, cmd)
		return out
	}
	says := func(out string, texts ...string) {
		t.Helper()
		for _, text := range texts {
			if !strings.Contains(out, text) {
				t.Errorf("%q is not in %s", text, out)
			}
		}
	}
	if !post(r.client, r.url, session(0, time.Now().Unix())[0].body) {
		t.Fatal("not taken")
	}
	says(check(), "WRONG  redis", "look   spool     deliveries that wait in it for Redis: 1", "holds it and answers", "no delivery was ever taken")
	redistest.StartAt(t, port)
	await(t, "it is drained", func() bool { return r.spooled() == 0 })
	await(t, "it is followed", func() bool { return len(r.recorded()) == 1 })
	says(check(), "ok     redis", "ok     spool     no delivery waits", "holds it and answers", "the newest delivery, room_created")
	r.end()
	says(check(), "no serve holds it now", "the newest delivery, room_created")
}

func TestCheckSaysWhatIsWrongWithRedis(t *testing.T) {
	check := func(url string, more ...string) string {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		cmd := command(t, t.TempDir(), append([]string{"check", "--auth=none", "--listen=127.0.0.1:0", "--secret=" + string([]byte(ourSecret)), "--store=" + url, "--api-key=" + testKey, "--api-secret=" + string([]byte(testSecret))}, more...)...)
		out, _ := runWithin(ctx, cmd)
		return out
	}
	for _, c := range []struct{ says, out string }{
		{"set up to lose nothing", check(redistest.Start(t).URL())},
		{"spool     is off", check(redistest.Start(t).URL(), "--spool=off")},
		{"WRONG  redis     Redis would throw away", check(redistest.Start(t, "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru").URL())},
		{"look   redis     Redis keeps its data in memory only", check(redistest.Start(t, "--appendonly", "no").URL())},
		{"connection refused. Until it answers", check(fmt.Sprintf("redis://:secret@127.0.0.1:%d", redistest.FreePort(t)))},
		{"it names no master", check("redis-sentinel://:secret@a,b")},
	} {
		if !strings.Contains(c.out, c.says) || strings.Contains(c.out, ":secret") {
			t.Errorf("%q is not in %s", c.says, c.out)
		}
	}
}

func TestCheckAsksPlugNmeet(t *testing.T) {
	standIn := &simulate.API{APIKey: testKey, Secret: testSecret, Rooms: func() []room.Detail { return nil }}
	server := httptest.NewServer(standIn)
	defer server.Close()
	for name, c := range map[string]struct {
		change func(*Config)
		fault  simulate.Fault
		state  string
		says   string
	}{
		"it answers":        {func(*Config) {}, simulate.NoFault, good, "0 rooms run"},
		"no address":        {func(c *Config) { c.ServerURL = "" }, simulate.NoFault, doubt, "no SERVER_URL"},
		"no URL":            {func(c *Config) { c.ServerURL = "meet.example.org" }, simulate.NoFault, wrong, "SERVER_URL"},
		"another secret":    {func(c *Config) { c.APISecret = testSecret + "!" }, simulate.NoFault, wrong, "it knows the API key; the secret is not its own"},
		"another key":       {func(c *Config) { c.APIKey = "another" }, simulate.NoFault, wrong, "it does not know this API key"},
		"another server":    {func(*Config) {}, simulate.WrongPlace, wrong, "not plugNmeet's API"},
		"nobody is at home": {func(c *Config) { c.ServerURL = "http://127.0.0.1:1" }, simulate.NoFault, wrong, "nothing listens there"},
	} {
		config := testConfig("memory:")
		config.ServerURL = server.URL
		c.change(&config)
		standIn.Suffer(c.fault)
		found, _ := (&checkCommand{config}).checkAPI()
		if len(found) != 1 || found[0].state != c.state || !strings.Contains(found[0].text, c.says) {
			t.Errorf("%s: %+v", name, found)
		}
	}
}
