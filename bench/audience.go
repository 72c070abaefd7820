//go:build linux

package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// audience is many sockets that are read by one goroutine with one epoll, which counts frames.
type audience struct {
	poll    int
	sockets map[int32]*socket
	frames  atomic.Int64 // messages that came in, on all sockets together
	bytes   atomic.Int64 // their length on the wire, frame headers included
	heard   func(s *socket, message []byte)
	ended   chan struct{} // closed when nothing is read any more
	err     error         // why
	stopped atomic.Bool
	space   []byte
}

// socket is one viewer. rest is the beginning of a frame whose end has not come yet.
type socket struct {
	fd    int
	index int
	rest  []byte
}

// viewing is how an audience connects.
type viewing struct {
	paths    []string // of the upgrade, going round; none for plain TCP connections
	n        int
	compress bool                            // offer permessage-deflate, as browsers do
	window   int                             // of the receive buffer; 0 is the system's
	deaf     bool                            // never read
	heard    func(s *socket, message []byte) // a message, as it is on the wire
}

// watch connects viewers, one after the other, and reads what they are sent until stop.
func watch(addr string, v viewing) (*audience, error) {
	a := &audience{sockets: make(map[int32]*socket, v.n), heard: v.heard, ended: make(chan struct{}), space: make([]byte, 256<<10)}
	var err error
	if a.poll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, err
	}
	for i := range v.n {
		if err := a.enter(addr, v, i); err != nil {
			close(a.ended)
			a.close()
			return nil, err
		}
	}
	if v.deaf {
		close(a.ended)
	} else {
		go func() {
			defer close(a.ended)
			a.err = a.read()
		}()
	}
	return a, nil
}

func (a *audience) enter(addr string, v viewing, index int) error {
	source := net.IPv4(127, 0, 0, byte(1+index/2500)) // the ports of one address are not enough
	fd, err := dial(addr, source, func(fd int) error {
		if v.window == 0 {
			return nil
		}
		return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, v.window)
	})
	if err != nil {
		return err
	}
	s := &socket{fd: fd, index: index}
	a.sockets[int32(fd)] = s
	if len(v.paths) > 0 {
		if err := s.upgrade(addr, v.paths[index%len(v.paths)], v.compress); err != nil {
			return err
		}
	}
	if v.deaf {
		return nil
	}
	return errors.Join(unix.SetNonblock(fd, true),
		unix.EpollCtl(a.poll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}))
}

// upgrade asks for a socket and keeps what follows the answer.
func (s *socket) upgrade(addr, path string, compress bool) error {
	request := "GET " + path + " HTTP/1.1\r\nHost: " + addr + "\r\nOrigin: http://" + addr +
		"\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: roomwatch.v1\r\n"
	if compress {
		request += "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
	}
	if _, err := unix.Write(s.fd, []byte(request+"\r\n")); err != nil {
		return err
	}
	answer, space := []byte(nil), make([]byte, 4<<10)
	for {
		n, err := unix.Read(s.fd, space)
		if err != nil || n == 0 {
			return fmt.Errorf("upgrade: the server went away: %v", err)
		}
		answer = append(answer, space[:n]...)
		if end := bytes.Index(answer, headerEnd); end >= 0 {
			s.rest = bytes.Clone(answer[end+len(headerEnd):])
			break
		}
	}
	if !bytes.HasPrefix(answer, []byte("HTTP/1.1 101")) {
		return fmt.Errorf("upgrade: %.200q", answer)
	}
	return nil
}

// read counts what comes in until close.
func (a *audience) read() error {
	for _, s := range a.sockets {
		a.take(s, nil) // what came with the answer to the upgrade
	}
	ready := make([]unix.EpollEvent, 512)
	for !a.stopped.Load() {
		n, err := unix.EpollWait(a.poll, ready, 50)
		if err != nil && err != unix.EINTR {
			return err
		}
		for _, event := range ready[:max(n, 0)] {
			s := a.sockets[event.Fd]
			n, err := unix.Read(s.fd, a.space)
			if err == unix.EAGAIN {
				continue
			}
			if err != nil || n == 0 {
				return fmt.Errorf("a viewer was sent away: %v", err)
			}
			a.take(s, a.space[:n])
		}
	}
	return nil
}

// take counts the whole frames in what has come.
func (a *audience) take(s *socket, data []byte) {
	if len(s.rest) > 0 {
		data = append(s.rest, data...)
	}
	for {
		header, length, whole := frameSize(data)
		if !whole {
			break
		}
		switch data[0] & 0x0f {
		case 1:
			a.bytes.Add(int64(header + length))
			if a.heard != nil {
				a.heard(s, data[header:header+length])
			}
			a.frames.Add(1)
		case 9:
			_, _ = unix.Write(s.fd, []byte{0x8a, 0x80, 0, 0, 0, 0}) // a pong, or we would be sent away
		}
		data = data[header+length:]
	}
	s.rest = append([]byte(nil), data...)
}

// frameSize reads the header of a frame from a server, which masks nothing.
func frameSize(data []byte) (header, length int, whole bool) {
	if len(data) < 2 {
		return 0, 0, false
	}
	switch length, header = int(data[1]&0x7f), 2; {
	case length == 126 && len(data) >= 4:
		length, header = int(binary.BigEndian.Uint16(data[2:])), 4
	case length == 127 && len(data) >= 10:
		length, header = int(binary.BigEndian.Uint64(data[2:])), 10
	case length >= 126:
		return 0, 0, false
	}
	return header, length, len(data) >= header+length
}

// await returns when so many frames have come in all, or an error after a while.
func (a *audience) await(frames int64) error {
	for deadline := time.Now().Add(20 * time.Second); a.frames.Load() < frames; time.Sleep(time.Millisecond) {
		select {
		case <-a.ended:
			return fmt.Errorf("the audience ended: %v", a.err)
		default:
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d of %d frames came", a.frames.Load(), frames)
		}
	}
	return nil
}

// settle returns when no frame has come for a while.
func (a *audience) settle(quiet time.Duration) {
	for before := int64(-1); before != a.frames.Load(); {
		before = a.frames.Load()
		time.Sleep(quiet)
	}
}

func (a *audience) close() {
	if a.stopped.Swap(true) {
		return
	}
	<-a.ended
	for _, s := range a.sockets {
		_ = unix.Close(s.fd)
	}
	_ = unix.Close(a.poll)
}
