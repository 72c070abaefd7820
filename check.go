package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/roomwatch/roomwatch/access"
	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/plugnmeet"
	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/store"
)

type checkCommand struct {
	Config `embed:""`
}

// finding is one line of a check: what is the case and, if something is wrong, what to do.
type finding struct{ state, about, text string }

// States of a finding. Only wrong fails the check.
const (
	good  = "ok"
	doubt = "look"
	wrong = "WRONG"
)

// Run prints what is found, and fails if anything is wrong.
func (cmd *checkCommand) Run() error {
	findings := cmd.findings()
	failed := 0
	for _, f := range findings {
		fmt.Printf("%-6s %-9s %s\n", f.state, f.about, f.text)
		if f.state == wrong {
			failed++
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d checks found something wrong", failed, len(findings))
	}
	return nil
}

func (cmd *checkCommand) findings() []finding {
	out := cmd.checkSettings()
	if out[0].state == wrong {
		return out
	}
	api, running := cmd.checkAPI()
	out = append(out, api...)
	out = append(out, cmd.checkProxy()...)
	if store.IsRedis(cmd.Store) {
		out = append(out, cmd.checkRedis()...)
		local := *cmd
		local.Store = "file:" + cmd.Spool
		if _, err := os.Stat(cmd.Spool); err != nil {
			return out // there was no serve here yet, or it keeps no file
		}
		out = append(out, local.checkSpool())
		cmd = &local // this replica's copy of the record
	}
	if f := cmd.checkFile(); f.about != "" {
		out = append(out, f)
		if f.state == wrong {
			return out
		}
	}
	recent, clocks, f := cmd.checkStore()
	out = append(out, f)
	if f.state != good {
		return out // what came in is not known
	}
	out = append(out, checkIntake(recent, time.Now())...)
	if f := checkSilence(recent, running, time.Now()); f.about != "" {
		out = append(out, f)
	}
	return append(out, checkClocks(clocks, time.Now())...)
}

// checkAPI asks the plugNmeet of each source that has an address. Running is how many rooms they list in all.
func (cmd *checkCommand) checkAPI() (out []finding, running int) {
	sources, _, err := keysOf(&cmd.Config)
	if err != nil {
		return nil, 0 // the settings' own finding says so
	}
	meets, err := cmd.meetsOf(sources)
	if err != nil {
		return []finding{{wrong, "API", err.Error()}}, 0
	}
	for _, s := range sources {
		f, rooms := checkMeet(s.Name, meets[s.Name])
		out, running = append(out, f), running+rooms
	}
	return out, running
}

func checkMeet(source string, api *plugnmeet.API) (f finding, rooms int) {
	if api == nil {
		return finding{doubt, "API", fmt.Sprintf("source %q has no SERVER_URL: its rooms are as deliveries tell, and what is lost stays lost", source)}, 0
	}
	defer api.Close()
	ctx, cancel := context.WithTimeout(context.Background(), openTime)
	defer cancel()
	poll, err := api.ActiveRooms(ctx)
	rooms = len(poll.Rooms)
	switch {
	case err != nil:
		return finding{wrong, "API", fmt.Sprintf("source %q: %v", source, err)}, 0
	case poll.Hollow():
		return finding{doubt, "API", fmt.Sprintf("source %q answers, but has no live data of the rooms that run: look at plugNmeet's NATS", source)}, 0
	case poll.Blind():
		return finding{doubt, "API", fmt.Sprintf("source %q lists nobody in any room, but counts people: look at LiveKit and its Redis", source)}, rooms
	case poll.Skew != 0:
		return finding{doubt, "clocks", fmt.Sprintf("the clock of source %q is %s off ours: set both by NTP", source, poll.Skew)}, rooms
	}
	text := fmt.Sprintf("source %q answers: %d rooms run", source, rooms)
	if api.KeyIndex() > 0 {
		text += "; it answers to the second secret: plugNmeet does not use the first one yet"
	}
	return finding{good, "API", text}, rooms
}

func (cmd *checkCommand) checkSettings() []finding {
	sources, _, err := keysOf(&cmd.Config)
	if err != nil {
		return []finding{{wrong, "settings", err.Error()}}
	}
	out := []finding{{good, "settings", fmt.Sprintf("serve would listen on %s and keep its record in %s", cmd.Listen, redactURL(cmd.Store))}}
	out = append(out, cmd.checkAuth())
	if f := cmd.checkProvider(); f.about != "" {
		out = append(out, f)
	}
	for _, s := range sources {
		text := fmt.Sprintf("source %q signs with key %q", s.Name, s.APIKey)
		if len(s.Secrets) > 1 {
			text += fmt.Sprintf(", %d secrets are accepted: take the old one out when all servers use the new", len(s.Secrets))
		}
		out = append(out, finding{good, "keys", text})
	}
	return out
}

// fileTime bounds the reading of the whole record.
const fileTime = 5 * time.Minute

// checkFile reads the whole record for damage.
func (cmd *checkCommand) checkFile() finding {
	path, isFile := strings.CutPrefix(cmd.Store, "file:")
	if !isFile {
		return finding{}
	}
	if err := there(path, "record"); err != nil {
		return finding{wrong, "file", err.Error()}
	}
	ctx, cancel := context.WithTimeout(context.Background(), fileTime)
	defer cancel()
	switch problems, err := store.Check(ctx, cmd.Store); {
	case err != nil:
		return finding{doubt, "file", fmt.Sprintf("could not be read whole: %v", err)}
	case len(problems) > 0:
		return finding{wrong, "file", fmt.Sprintf("the record is damaged (%s, and %d more). The next start of serve sets it aside and begins a new one; `sqlite3 %s .recover` saves what can be read", problems[0], len(problems)-1, path)}
	}
	return finding{good, "file", "the record was read whole and has no damage"}
}

// checkRedis asks Redis whether it can be used. The replica's own file is its serve's.
func (cmd *checkCommand) checkRedis() (out []finding) {
	ctx, cancel := context.WithTimeout(context.Background(), openTime)
	defer cancel()
	problems, warnings, err := store.CheckRedis(ctx, cmd.Store)
	if err != nil {
		return []finding{{wrong, "redis", fmt.Sprintf("%v. Until it answers, serve takes deliveries into %s", err, cmd.Spool)}}
	}
	for _, text := range problems {
		out = append(out, finding{wrong, "redis", text})
	}
	for _, text := range warnings {
		out = append(out, finding{doubt, "redis", text})
	}
	if f := cmd.checkSecret(ctx); f.about != "" {
		out = append(out, f)
	}
	if len(out) == 0 {
		out = append(out, finding{good, "redis", "answers, and is set up to lose nothing"})
	}
	if cmd.Spool == "off" {
		out = append(out, finding{doubt, "spool", "is off: while Redis cannot be written, deliveries are refused, and plugNmeet tries three times only"})
	}
	return out
}

// checkSecret compares the SECRET that is set here with those of the replicas that run.
func (cmd *checkCommand) checkSecret(ctx context.Context) finding {
	secret, err := cmd.secret()
	var fingerprint string
	if err == nil {
		fingerprint, err = access.Fingerprint([]byte(string([]byte(secret))))
	}
	others := 0
	if err == nil {
		others, err = store.OtherSecrets(ctx, cmd.Store, fingerprint)
	}
	switch {
	case err != nil:
		return finding{doubt, "secret", fmt.Sprintf("could not be compared with that of other replicas: %v", err)}
	case others > 0:
		return finding{wrong, "secret", "a replica that runs has a different SECRET than is set here: what one signs or masks is nothing to the other. Give all replicas the same"}
	}
	return finding{}
}

// checkSpool tells how much waits for Redis on this machine.
func (cmd *checkCommand) checkSpool() finding {
	ctx, cancel := context.WithTimeout(context.Background(), openTime)
	defer cancel()
	switch waiting, err := store.Waiting(ctx, cmd.Store); {
	case err != nil:
		return finding{doubt, "spool", fmt.Sprintf("could not be read: %v", err)}
	case waiting > 0:
		return finding{doubt, "spool", fmt.Sprintf("deliveries that wait in it for Redis: %d", waiting)}
	}
	return finding{good, "spool", "no delivery waits for Redis"}
}

// checkStore finds the newest deliveries: in the store, or at the serve that holds it.
func (cmd *checkCommand) checkStore() (recent, clocks []room.Delivery, f finding) {
	if cmd.Store == "memory:" {
		return nil, nil, finding{doubt, "store", "memory: forgets everything when serve ends. Use file:PATH to keep it"}
	}
	ctx, cancel := context.WithTimeout(context.Background(), openTime)
	defer cancel()
	held, err := store.Held(cmd.Store)
	if held {
		return cmd.askServe(ctx)
	}
	var record *store.Reader
	if err == nil {
		record, err = store.Read(ctx, cmd.Store)
	}
	if err != nil {
		return nil, nil, finding{wrong, "store", err.Error()}
	}
	defer record.Close()
	recent, err = newest(func(cursor string) (room.Page[room.Delivery], error) {
		return record.Deliveries(ctx, room.DeliveryQuery{Limit: room.MaxLimit, Cursor: cursor})
	})
	var measured room.Page[room.Delivery]
	if err == nil {
		measured, err = record.Deliveries(ctx, room.DeliveryQuery{Event: room.EventClocks, Limit: room.MaxLimit})
	}
	if err != nil {
		return nil, nil, finding{wrong, "store", err.Error()}
	}
	return recent, measured.Items, finding{good, "store", "can be opened and read; no serve holds it now"}
}

// askServe asks the serve that holds the record for its newest deliveries, and for what it measured of clocks.
func (cmd *checkCommand) askServe(ctx context.Context) (recent, clocks []room.Delivery, f finding) {
	recent, _ = newest(func(cursor string) (page room.Page[room.Delivery], err error) {
		if cursor != "" {
			cursor = "&cursor=" + url.QueryEscape(cursor)
		}
		if page, f = cmd.askDeliveries(ctx, cursor); f.state != good {
			err = errors.New(f.text)
		}
		return page, err
	})
	if f.state == good {
		var page room.Page[room.Delivery]
		page, f = cmd.askDeliveries(ctx, "&event="+room.EventClocks)
		clocks = page.Items
	}
	return recent, clocks, f
}

// mostAsked is how many pages of entries are looked through for a delivery of plugNmeet's.
const mostAsked = 10

// newest are the newest entries, up to the page on which there is a delivery of plugNmeet's: where none comes, those of
// our own are all there is.
func newest(ask func(cursor string) (room.Page[room.Delivery], error)) (recent []room.Delivery, err error) {
	var page room.Page[room.Delivery]
	for range mostAsked {
		if page, err = ask(page.Next); err != nil {
			return recent, err
		}
		recent = append(recent, page.Items...)
		if page.Next == "" || slices.ContainsFunc(page.Items, ofPlugNmeet) {
			break
		}
	}
	return recent, nil
}

// ofPlugNmeet: it is of plugNmeet, and was taken.
func ofPlugNmeet(d room.Delivery) bool { return d.Verdict.Recorded() && !room.OwnEvent(d.Event) }

func (cmd *checkCommand) askDeliveries(ctx context.Context, filter string) (page room.Page[room.Delivery], f finding) {
	base, err := localURL(cmd.Listen)
	if err != nil {
		return page, finding{wrong, "store", err.Error()}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s/api/v1/deliveries?limit=%d%s", base, room.MaxLimit, filter), nil)
	if err != nil {
		return page, finding{wrong, "store", err.Error()}
	}
	token, err := secretOf(cmd.APIToken, cmd.APITokenFile, "API_TOKEN")
	if err != nil {
		return page, finding{wrong, "settings", err.Error()}
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+string([]byte(token)))
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return page, finding{doubt, "store", fmt.Sprintf("a serve holds it, but none answers at %s: does it use another LISTEN?", base)}
	}
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusUnauthorized {
		return page, finding{doubt, "store", "the serve at " + base + " holds it and answers; with API_TOKEN set here and there, this would read its intake"}
	}
	if answer.StatusCode != http.StatusOK || json.NewDecoder(answer.Body).Decode(&page) != nil {
		return page, finding{doubt, "store", fmt.Sprintf("a serve holds it, and %s answers %s", base, answer.Status)}
	}
	return page, finding{good, "store", "the serve at " + base + " holds it and answers"}
}

// checkClocks tells what serve measured last of each source.
func checkClocks(measured []room.Delivery, now time.Time) (out []finding) {
	told := make(map[string]bool)
	for _, d := range measured { // the newest first
		if told[d.Source] {
			continue
		}
		told[d.Source] = true
		f := finding{good, "clocks", fmt.Sprintf("source %q: %s (measured %s ago)", d.Source, d.Reason, now.Sub(d.ReceivedAt).Round(time.Second))}
		if d.Reason != (live.ClockState{}).Words() {
			f.state = doubt
			f.text += ": set both by NTP. Roomwatch allows for it"
		}
		out = append(out, f)
	}
	return out
}

// localURL is where this machine reaches what listens there.
func localURL(listen string) (string, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "", fmt.Errorf("LISTEN: %w", err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port), nil
}

// skewed is how far a delivery may lag before clocks are suspected: plugNmeet sends within seconds.
const skewed = 30 * time.Second

const webhookConfig = "client.webhook_conf.enable: true and url to this Roomwatch's /webhook"

// noneOf says that none of these entries is a delivery. What checks put right comes from the API.
func noneOf(recent []room.Delivery) string {
	if slices.ContainsFunc(recent, func(d room.Delivery) bool { return room.OwnEvent(d.Event) }) {
		return "no delivery was ever taken, and what rooms are shown a check against the API has found"
	}
	return "no delivery was ever taken"
}

// silentAfter is how long nothing can come of rooms that run: people come and go.
const silentAfter = time.Hour

// checkSilence finds that deliveries have stopped though rooms run.
func checkSilence(recent []room.Delivery, running int, now time.Time) finding {
	i := slices.IndexFunc(recent, ofPlugNmeet)
	if i < 0 || running == 0 || now.Sub(recent[i].ReceivedAt) <= silentAfter {
		return finding{}
	}
	return finding{doubt, "intake", fmt.Sprintf("nothing is delivered any more: %d rooms run, and the newest delivery came %s ago. In plugNmeet's config look for %s",
		running, now.Sub(recent[i].ReceivedAt).Round(time.Second), webhookConfig)}
}

// checkIntake reads from the newest deliveries whether plugNmeet reaches us, and whether the clocks agree.
func checkIntake(recent []room.Delivery, now time.Time) []finding {
	taken := slices.DeleteFunc(slices.Clone(recent), func(d room.Delivery) bool { return !ofPlugNmeet(d) })
	refused := slices.DeleteFunc(slices.Clone(recent), func(d room.Delivery) bool { return d.Verdict != room.Refused || now.Sub(d.ReceivedAt) > time.Hour })
	var out []finding
	switch {
	case len(taken) == 0:
		out = append(out, finding{doubt, "intake", "nothing is delivered: " + noneOf(recent) + ". In plugNmeet's config set " + webhookConfig})
	default:
		newest := taken[0]
		out = append(out, finding{good, "intake", fmt.Sprintf("the newest delivery, %s of room %q, came %s ago", newest.Event, newest.RoomID, now.Sub(newest.ReceivedAt).Round(time.Second))})
		lag := time.Duration(newest.LagMS) * time.Millisecond
		if lag > skewed || lag < -skewed {
			out = append(out, finding{doubt, "clocks", fmt.Sprintf("it was received %s after it says that it was made: check the clocks of both machines (a replay shows this too)", lag.Round(time.Second))})
		} else {
			out = append(out, finding{good, "clocks", fmt.Sprintf("plugNmeet's and ours agree to %s", lag.Abs().Round(time.Second))})
		}
	}
	if len(refused) > 0 {
		source := ""
		if refused[0].Source != "" {
			source = fmt.Sprintf(" of source %q", refused[0].Source)
		}
		out = append(out, finding{doubt, "intake", strings.TrimSpace(fmt.Sprintf("%d refused in the last hour, the newest%s: %s", len(refused), source, refused[0].Reason))})
	}
	return out
}
