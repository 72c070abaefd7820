//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"
	"golang.org/x/sys/unix"

	"github.com/roomwatch/roomwatch/room"
	"github.com/roomwatch/roomwatch/store"
)

// floors are what the rows are measured against: children of this program, each the least that could do.
var floors = map[string]func(args []string) error{
	"answer": answerFloor, "write": writeFloor, "relay": relayFloor, "sockets": socketsFloor, "read": readFloor,
}

// say prints the address, which the parent waits for.
func say(addr net.Addr) { fmt.Println("at", addr) }

// answerFloor is a Fiber handler that reads the body and answers 200.
func answerFloor([]string) error {
	app := fiber.New(fiber.Config{DisableStartupMessage: true, ReadBufferSize: 16 << 10})
	app.Post("/webhook", func(c *fiber.Ctx) error {
		if len(c.BodyRaw()) == 0 {
			return fiber.ErrBadRequest
		}
		return c.JSON(fiber.Map{"status": "accepted"})
	})
	return serveFiber(app)
}

func serveFiber(app *fiber.App) error {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	say(listener.Addr())
	return app.Listener(listener)
}

// socketsFloor is contrib/websocket as its users write it: a reader, a goroutine that writes, and a channel
// between the viewer and whoever has something for it.
func socketsFloor([]string) error {
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/live", websocket.New(func(conn *websocket.Conn) {
		frames, done := make(chan []byte, 16), make(chan struct{})
		go func() {
			defer close(done)
			for frame := range frames {
				if conn.WriteMessage(websocket.TextMessage, frame) != nil {
					return
				}
			}
		}()
		frames <- []byte(`{"o":[]}`)
		for {
			if _, _, err := conn.ReadMessage(); err != nil {
				break
			}
		}
		close(frames)
		<-done
	}))
	return serveFiber(app)
}

// readFloor reads and decodes every open document of a record, and ends.
func readFloor(args []string) error {
	record, err := store.Open(context.Background(), "file:"+args[0], quiet)
	if err != nil {
		return err
	}
	sessions, people := 0, 0
	err = record.Recent(context.Background(), time.Now().Add(-time.Hour), func(s *room.Session) error {
		sessions++
		people += len(s.Connections)
		return nil
	})
	fmt.Println("read", sessions, "sessions", people, "people", "done")
	return errors.Join(err, record.Close())
}

// writeFloor accepts sockets, and for each line "sockets bytes" on its standard input writes a frame of that size
// to each of so many: a loop of write(2).
func writeFloor([]string) error {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	say(listener.Addr())
	came := make(chan int, 1<<14)
	go accepted(listener, func(fd int) { came <- fd })
	var fds []int
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var sockets, size int
		if _, err := fmt.Sscan(lines.Text(), &sockets, &size); err != nil {
			return err
		}
		for len(fds) < sockets {
			fds = append(fds, <-came)
		}
		frame := frameOf(bytes.Repeat([]byte("x"), size))
		for _, fd := range fds[:sockets] {
			if n, err := unix.Write(fd, frame); err != nil || n < len(frame) {
				return fmt.Errorf("wrote %d of %d bytes: %w", n, len(frame), err)
			}
		}
	}
	return lines.Err()
}

// accepted hands over the bare socket of every connection.
func accepted(listener net.Listener, take func(fd int)) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		if file, err := conn.(*net.TCPConn).File(); err == nil {
			if fd, err := unix.Dup(int(file.Fd())); err == nil {
				take(fd)
			}
			_ = file.Close()
		}
		_ = conn.Close()
	}
}

// frameOf is an unmasked text frame.
func frameOf(payload []byte) []byte {
	var head []byte
	switch n := len(payload); {
	case n < 126:
		head = []byte{0x81, byte(n)}
	case n < 1<<16:
		head = []byte{0x81, 126, byte(n >> 8), byte(n)}
	default:
		head = []byte{0x81, 127, 0, 0, 0, 0, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
	}
	return append(head, payload...)
}

// relayFloor takes deliveries, verifies nothing, and hands a frame of a size with the delivery's title to all
// who asked for a socket: one epoll, one goroutine.
func relayFloor(args []string) error {
	size, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	say(listener.Addr())
	r := &relay{size: size, parts: make(map[int32][]byte), space: make([]byte, 64<<10)}
	if r.poll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return err
	}
	go accepted(listener, func(fd int) {
		_ = unix.EpollCtl(r.poll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
	})
	return r.run()
}

type relay struct {
	poll    int
	size    int
	viewers []int
	parts   map[int32][]byte // what came of requests that are not whole yet
	space   []byte
}

func (r *relay) run() error {
	ready := make([]unix.EpollEvent, 64)
	for {
		n, err := unix.EpollWait(r.poll, ready, -1)
		if err != nil && err != unix.EINTR {
			return err
		}
		for _, event := range ready[:max(n, 0)] {
			n, err := unix.Read(int(event.Fd), r.space)
			if err != nil || n <= 0 {
				_ = unix.EpollCtl(r.poll, unix.EPOLL_CTL_DEL, int(event.Fd), nil)
				continue
			}
			r.parts[event.Fd] = r.take(int(event.Fd), append(r.parts[event.Fd], r.space[:n]...))
		}
	}
}

// take answers the request if it is whole, and keeps it if not.
func (r *relay) take(fd int, data []byte) []byte {
	end := bytes.Index(data, headerEnd)
	if end < 0 {
		return data
	}
	if data[0] == 'G' {
		_, _ = unix.Write(fd, []byte("HTTP/1.1 101 Switching Protocols\r\n\r\n"))
		r.viewers = append(r.viewers, fd)
		return data[:0]
	}
	at := bytes.Index(data, contentLength) + len(contentLength)
	length, err := strconv.Atoi(string(data[at : at+bytes.IndexByte(data[at:], '\r')]))
	if err != nil || len(data) < end+len(headerEnd)+length {
		return data
	}
	_, _ = unix.Write(fd, []byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"))
	payload := bytes.Repeat([]byte("x"), r.size)
	copy(payload, titleIn(data))
	frame := frameOf(payload)
	for _, viewer := range r.viewers {
		_, _ = unix.Write(viewer, frame)
	}
	return data[:0]
}
