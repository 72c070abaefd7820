// The field's receiver: net/http with LiveKit's own ReceiveWebhookEvent. It stores nothing.
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/webhook"
)

func main() {
	keys := auth.NewSimpleKeyProvider(os.Getenv("ROOMWATCH_API_KEY"), os.Getenv("ROOMWATCH_API_SECRET"))
	http.HandleFunc("POST /webhook", func(w http.ResponseWriter, r *http.Request) {
		if _, err := webhook.ReceiveWebhookEvent(r, keys); err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		_, _ = w.Write([]byte(`{"status":"accepted"}`))
	})
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("at", listener.Addr())
	log.Fatal(http.Serve(listener, nil))
}
