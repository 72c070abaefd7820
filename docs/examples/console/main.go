// A support console that shows a room of Roomwatch beside its case: the least that it takes. Its page has an
// element of Roomwatch's; its backend mints the tokens, and hands them only to whoever is logged in here.
//
//	ROOMWATCH_URL    where Roomwatch is, as browsers reach it
//	ROOMWATCH_INSIDE where it is, as this backend reaches it, if that is elsewhere
//	ROOMWATCH_TOKEN  an API token with the scope mint:embed
//	CONSOLE_ORIGIN   where this console is, as browsers reach it; one of Roomwatch's EMBED_PARENTS
//	CONSOLE_LISTEN   the address to listen at
package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"time"
)

// console is what the handlers need.
type console struct {
	roomwatch, inside, token, origin string
	client                           http.Client
}

func main() {
	c := &console{
		roomwatch: cmp.Or(os.Getenv("ROOMWATCH_URL"), "http://ops.localhost:8080"),
		inside:    os.Getenv("ROOMWATCH_INSIDE"),
		token:     os.Getenv("ROOMWATCH_TOKEN"),
		origin:    cmp.Or(os.Getenv("CONSOLE_ORIGIN"), "http://support.localhost:8090"),
		client:    http.Client{Timeout: 5 * time.Second},
	}
	server := http.Server{Addr: cmp.Or(os.Getenv("CONSOLE_LISTEN"), "127.0.0.1:8090"), Handler: c.routes(), ReadHeaderTimeout: 5 * time.Second}
	log.Println("the console is at", c.origin)
	log.Fatal(server.ListenAndServe())
}

func (c *console) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", c.page)
	mux.HandleFunc("POST /roomwatch-token", c.mint)
	return http.NewCrossOriginProtection().Handler(mux)
}

var page = template.Must(template.New("case").Parse(`<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>Case 48213</title>
<link rel="stylesheet" href="data:text/css,body{font-family:system-ui;display:grid;grid-template-columns:1fr 420px;gap:24px}roomwatch-embed{display:block;height:90vh}">
<script type="module" src="{{.Roomwatch}}/embed.js"></script>
<main><h1>Case 48213</h1><p>The customer's meeting is on the right.</p></main>
<roomwatch-embed src="{{.Roomwatch}}/embed/rooms/{{.Room}}" token-url="/roomwatch-token?room={{.Room}}" title="The customer's meeting"></roomwatch-embed>
`))

func (c *console) page(w http.ResponseWriter, r *http.Request) {
	policy := fmt.Sprintf("default-src 'none'; style-src data:; connect-src 'self'; script-src %s; frame-src %s", c.roomwatch, c.roomwatch)
	w.Header().Set("Content-Security-Policy", policy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	room := cmp.Or(r.FormValue("room"), "room01")
	if err := page.Execute(w, struct{ Roomwatch, Room string }{c.roomwatch, url.PathEscape(room)}); err != nil {
		log.Println(err)
	}
}

// mint gets a token for the case's room. A real console asks here who is logged in, and whether this case is theirs:
// whoever gets the token sees the room.
func (c *console) mint(w http.ResponseWriter, r *http.Request) {
	token, err := c.ask(r, cmp.Or(r.FormValue("room"), "room01"))
	if err != nil {
		log.Println("no token:", err)
		http.Error(w, "no token", http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(map[string]string{"token": token})
}

func (c *console) ask(r *http.Request, room string) (string, error) {
	body, err := json.Marshal(map[string]any{"room_id": room, "parent": c.origin, "ttl": "5m"})
	if err != nil {
		return "", err
	}
	request, err := http.NewRequestWithContext(r.Context(), http.MethodPost, cmp.Or(c.inside, c.roomwatch)+"/api/v1/embed-tokens", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	request.Header.Set("Content-Type", "application/json")
	answer, err := c.client.Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	var minted struct{ Token, Detail string }
	if err := json.NewDecoder(io.LimitReader(answer.Body, 64<<10)).Decode(&minted); err != nil {
		return "", err
	}
	if answer.StatusCode != http.StatusCreated {
		return "", errors.New(answer.Status + ": " + minted.Detail)
	}
	return minted.Token, nil
}
