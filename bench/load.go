//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// The client must not be what is measured: one goroutine, one epoll, requests made beforehand.

// load posts requests over some connections to one address.
type load struct {
	poll  int
	lines []*line
	byFD  map[int]*line
	space []byte
	next  int            // the request to be sent next
	done  int            // requests that were answered
	sent  []atomic.Int64 // when each request was sent, in ns; nil unless asked for
	idle  []*line        // lines without a request under way
	timer int            // a timerfd, when requests are sent at a rate
	ready []unix.EpollEvent
}

// line is a connection with at most one request under way.
type line struct {
	fd     int
	answer []byte
}

// dial opens a connection that does not block. source is a loopback address to come from, or nil.
func dial(addr string, source net.IP, before func(fd int) error) (fd int, err error) {
	to, err := net.ResolveTCPAddr("tcp4", addr)
	if err != nil {
		return 0, err
	}
	if fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
		return 0, err
	}
	steps := []func() error{
		func() error { return unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) },
		// Closed by a reset: ten thousand lines that linger would be in the way of the next ten thousand.
		func() error {
			return unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
		},
		func() error {
			if source == nil {
				return nil
			}
			return unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte(source.To4())})
		},
		func() error {
			if before == nil {
				return nil
			}
			return before(fd)
		},
		func() error { return unix.Connect(fd, &unix.SockaddrInet4{Port: to.Port, Addr: [4]byte(to.IP.To4())}) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			_ = unix.Close(fd)
			return 0, fmt.Errorf("connect to %s: %w", addr, err)
		}
	}
	return fd, nil
}

// newLoad opens the connections.
func newLoad(addr string, connections int) (l *load, err error) {
	l = &load{byFD: make(map[int]*line), space: make([]byte, 64<<10), ready: make([]unix.EpollEvent, 256), timer: -1}
	if l.poll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, err
	}
	for range connections {
		fd, err := dial(addr, nil, nil)
		if err != nil {
			return nil, errors.Join(err, l.close())
		}
		ln := &line{fd: fd}
		l.lines, l.idle, l.byFD[fd] = append(l.lines, ln), append(l.idle, ln), ln
		if err := errors.Join(unix.SetNonblock(fd, true), l.watch(fd)); err != nil {
			return nil, errors.Join(err, l.close())
		}
	}
	return l, nil
}

func (l *load) watch(fd int) error {
	return unix.EpollCtl(l.poll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
}

func (l *load) close() error {
	for _, ln := range l.lines {
		_ = unix.Close(ln.fd)
	}
	if l.timer >= 0 {
		_ = unix.Close(l.timer)
	}
	return unix.Close(l.poll)
}

// post sends all requests, as many at a time as there are connections, each answered before the next on its
// connection, and says how long that took. Every answer must be 200.
func (l *load) post(requests [][]byte) (time.Duration, error) {
	begin := time.Now()
	err := l.until(requests, func() int { return len(requests) })
	return time.Since(begin), err
}

// pace sends requests at a rate a second. What is overdue because all connections are busy is sent as soon as
// one is not.
func (l *load) pace(requests [][]byte, rate float64) (took time.Duration, err error) {
	if l.timer, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC); err != nil {
		return 0, err
	}
	step := unix.NsecToTimespec(int64(float64(time.Second) / rate))
	if err := errors.Join(unix.TimerfdSettime(l.timer, 0, &unix.ItimerSpec{Interval: step, Value: step}, nil), l.watch(l.timer)); err != nil {
		return 0, err
	}
	begin := time.Now()
	err = l.until(requests, func() int { return min(len(requests), int(time.Since(begin).Seconds()*rate)) })
	return time.Since(begin), err
}

// until sends as many requests as are due, and returns when all were answered.
func (l *load) until(requests [][]byte, due func() int) error {
	l.next, l.done = 0, 0
	for l.done < len(requests) {
		for limit := due(); l.next < limit && len(l.idle) > 0; l.next++ {
			if err := l.send(requests[l.next]); err != nil {
				return err
			}
		}
		n, err := unix.EpollWait(l.poll, l.ready, 5000)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("no answer within five seconds, %d of %d were answered", l.done, len(requests))
		}
		for _, event := range l.ready[:n] {
			if err := l.heard(int(event.Fd)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *load) send(request []byte) error {
	ln := l.idle[0] // in turn, so that none is idle for long
	l.idle = l.idle[1:]
	if l.sent != nil {
		l.sent[l.next].Store(time.Now().UnixNano())
	}
	n, err := unix.Write(ln.fd, request)
	if err == nil && n < len(request) {
		err = errors.New("the socket's buffer is smaller than a request")
	}
	return err
}

func (l *load) heard(fd int) error {
	n, err := unix.Read(fd, l.space)
	if fd == l.timer || err == unix.EAGAIN {
		return nil
	}
	if err != nil || n == 0 {
		return fmt.Errorf("the server closed a connection: %v", err)
	}
	ln := l.byFD[fd]
	answer := l.space[:n]
	if len(ln.answer) > 0 {
		ln.answer = append(ln.answer, answer...)
		answer = ln.answer
	}
	whole, err := answered(answer)
	if err != nil {
		return err
	}
	if !whole {
		ln.answer = append(ln.answer[:0], answer...)
		return nil
	}
	ln.answer = ln.answer[:0]
	l.idle = append(l.idle, ln)
	l.done++
	return nil
}

var (
	headerEnd     = []byte("\r\n\r\n")
	good          = []byte("HTTP/1.1 200")
	contentLength = []byte("\r\nContent-Length: ")
)

// answered says whether an answer is there as a whole, and an error if it is not a 200.
func answered(answer []byte) (whole bool, err error) {
	end := bytes.Index(answer, headerEnd)
	if end < 0 {
		return false, nil
	}
	if !bytes.HasPrefix(answer, good) {
		return false, fmt.Errorf("the server answered %.200q", answer)
	}
	length := 0
	if at := bytes.Index(answer[:end+2], contentLength); at >= 0 {
		text := answer[at+len(contentLength):]
		if length, err = strconv.Atoi(string(text[:bytes.IndexByte(text, '\r')])); err != nil {
			return false, err
		}
	}
	return len(answer) >= end+len(headerEnd)+length, nil
}
