//go:build ignore

// The bench builds this together with hub.go and client.go of gorilla/websocket's examples/chat, as they are in that
// module: what is posted to /publish goes to everybody.
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
)

func main() {
	hub := newHub()
	go hub.run()
	upgrader.CheckOrigin = func(*http.Request) bool { return true }
	http.HandleFunc("/ws", func(w http.ResponseWriter, r *http.Request) { serveWs(hub, w, r) })
	http.HandleFunc("POST /publish", func(_ http.ResponseWriter, r *http.Request) {
		message, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		hub.broadcast <- message
	})
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("at", listener.Addr())
	log.Fatal(http.Serve(listener, nil))
}
