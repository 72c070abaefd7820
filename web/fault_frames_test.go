package web_test

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"
)

// Bits and opcodes of a frame's first byte (RFC 6455, section 5.2).
const (
	fin, rsv1, rsv2, rsv3     = 0x80, 0x40, 0x20, 0x10
	opMore, opText, opBin     = 0, 1, 2
	opClose, opPing, opPong   = 8, 9, 10
	staysOpen                 = -1
	lineBreaks                = 0
	noCode                    = 1005 // a close without one is answered without one
	protocolError, notUTF8    = 1002, 1007
	unsupported, tooBig, busy = 1003, 1009, 4429
)

// masked is a frame with a mask that is not zero.
func masked(first byte, payload string) []byte {
	key := [4]byte{0xde, 0xad, 0xbe, 0xef}
	out := append([]byte{first, 0x80 | byte(len(payload))}, key[:]...)
	for i := range len(payload) {
		out = append(out, payload[i]^key[i%4])
	}
	return out
}

// bare is a frame without a mask, as only servers may send it.
func bare(first byte, payload string) []byte {
	return append([]byte{first, byte(len(payload))}, payload...)
}

// sized is a frame that tells its length in a form of its own, with a zero mask.
func sized(first, form byte, length uint64, payload string) []byte {
	out := []byte{first, 0x80 | form}
	switch form {
	case 126:
		out = binary.BigEndian.AppendUint16(out, uint16(length))
	case 127:
		out = binary.BigEndian.AppendUint64(out, length)
	}
	return append(append(out, 0, 0, 0, 0), payload...)
}

func closing(code uint16, reason string) []byte {
	return masked(fin|opClose, string(binary.BigEndian.AppendUint16(nil, code))+reason)
}

func frames(list ...[]byte) [][]byte { return list }

// Fault 37: every frame that a viewer may send, and what comes of it.
func TestFault37EveryFrameHasItsAnswer(t *testing.T) {
	t.Parallel()
	r := start(t, readTime(2*time.Second))
	const pause = `{"k":"pause"}`
	long := strings.Repeat("x", 126)
	table := map[string]struct {
		code int
		send [][]byte
	}{
		// What is in order.
		"a message":                         {staysOpen, frames(masked(fin|opText, pause))},
		"an empty message":                  {staysOpen, frames(masked(fin|opText, ""))},
		"a zero mask":                       {staysOpen, frames(wire(fin|opText, []byte(pause)))},
		"a message in two frames":           {staysOpen, frames(masked(opText, `{"k":`), masked(fin|opMore, `"pause"}`))},
		"a message in frames of one byte":   {staysOpen, frames(masked(opText, "{"), masked(opMore, "}"), masked(opMore, " "), masked(fin|opMore, ""))},
		"a ping":                            {staysOpen, frames(masked(fin|opPing, "hello"))},
		"a ping of 125 bytes":               {staysOpen, frames(masked(fin|opPing, strings.Repeat("p", 125)))},
		"a ping within a message":           {staysOpen, frames(masked(opText, "{"), masked(fin|opPing, "x"), masked(fin|opMore, "}"))},
		"a pong that nobody asked for":      {staysOpen, frames(masked(fin|opPong, "x"))},
		"4 KiB":                             {staysOpen, frames(sized(fin|opText, 126, 4096, strings.Repeat(" ", 4096)))},
		"four bytes of UTF-8 in two frames": {staysOpen, frames(masked(opText, "\xf0\x9f"), masked(fin|opMore, "\x98\x80"))},
		"a word that nobody knows":          {staysOpen, frames(masked(fin|opText, `{"k":"shutdown"}`))},
		"no JSON":                           {staysOpen, frames(masked(fin|opText, `<xml>`))},
		"deep JSON":                         {staysOpen, frames(sized(fin|opText, 126, 3000, strings.Repeat("[", 3000)))},

		// Masks.
		"a message without a mask": {protocolError, frames(bare(fin|opText, pause))},
		"a ping without a mask":    {protocolError, frames(bare(fin|opPing, ""))},
		"a close without a mask":   {protocolError, frames(bare(fin|opClose, "\x03\xe8"))},
		"more without a mask":      {protocolError, frames(masked(opText, "{"), bare(fin|opMore, "}"))},

		// Reserved bits.
		"RSV1":                 {protocolError, frames(masked(fin|rsv1|opText, pause))},
		"RSV2":                 {protocolError, frames(masked(fin|rsv2|opText, pause))},
		"RSV3":                 {protocolError, frames(masked(fin|rsv3|opText, pause))},
		"all of them":          {protocolError, frames(masked(fin|rsv1|rsv2|rsv3|opText, pause))},
		"RSV1 on a ping":       {protocolError, frames(masked(fin|rsv1|opPing, ""))},
		"RSV1 on a close":      {protocolError, frames(masked(fin|rsv1|opClose, "\x03\xe8"))},
		"RSV1 on what follows": {protocolError, frames(masked(opText, "{"), masked(fin|rsv1|opMore, "}"))},

		// Kinds of messages.
		"binary":         {unsupported, frames(masked(fin|opBin, "x"))},
		"empty binary":   {unsupported, frames(masked(fin|opBin, ""))},
		"binary, pieces": {unsupported, frames(masked(opBin, "x"), masked(fin|opMore, "y"))},

		// Sizes.
		"a byte over 4 KiB":                   {tooBig, frames(sized(fin|opText, 126, 4097, strings.Repeat("x", 4097)))},
		"5 KiB in two":                        {tooBig, frames(sized(opText, 126, 3000, strings.Repeat("x", 3000)), sized(fin|opMore, 126, 2000, strings.Repeat("x", 2000)))},
		"a length of a gibibyte":              {tooBig, frames(sized(fin|opText, 127, 1<<30, ""))},
		"a length of 2^62":                    {tooBig, frames(sized(fin|opText, 127, 1<<62, ""))},
		"a length with its first bit set":     {tooBig, frames(sized(fin|opText, 127, 1<<63, ""))},
		"all of a length's bits":              {tooBig, frames(sized(fin|opText, 127, 1<<64-1, ""))},
		"a length that wraps around":          {tooBig, frames(masked(opText, "{"), sized(fin|opMore, 127, 1<<64-1, ""))},
		"one that wraps around to some bytes": {tooBig, frames(masked(opText, "{}  "), sized(fin|opMore, 127, 1<<64-3, "x"))},
		"a ping of 126 bytes":                 {protocolError, frames(sized(fin|opPing, 126, 126, long))},
		"a pong of 126 bytes":                 {protocolError, frames(sized(fin|opPong, 126, 126, long))},
		"a close of 126 bytes":                {protocolError, frames(sized(fin|opClose, 126, 126, "\x03\xe8"+long[2:]))},
		"a ping whose length takes 64 bits":   {protocolError, frames(sized(fin|opPing, 127, 5, "hello"))},
		"half of a frame":                     {lineBreaks, frames([]byte{fin | opText, 0x80 | 100, 0, 0, 0, 0, 'x'})},
		"half of a head":                      {lineBreaks, frames([]byte{fin | opText})},

		// Fragments.
		"what follows nothing":          {protocolError, frames(masked(fin|opMore, "x"))},
		"what follows nothing, unended": {protocolError, frames(masked(opMore, "x"))},
		"a message within a message":    {protocolError, frames(masked(opText, "{"), masked(fin|opText, pause))},
		"binary within a message":       {protocolError, frames(masked(opText, "{"), masked(fin|opBin, "x"))},
		"what follows a whole message":  {protocolError, frames(masked(fin|opText, pause), masked(fin|opMore, "x"))},
		"a ping in fragments":           {protocolError, frames(masked(opPing, "x"))},
		"a pong in fragments":           {protocolError, frames(masked(opPong, "x"))},
		"a close in fragments":          {protocolError, frames(masked(opClose, "\x03\xe8"))},
		"a message that never ends":     {lineBreaks, frames(masked(opText, "{"))},

		// UTF-8.
		"a lone byte of UTF-8":     {notUTF8, frames(masked(fin|opText, "\xc3"))},
		"bytes that make no UTF-8": {notUTF8, frames(masked(fin|opText, "\xc3\x28"))},
		"an overlong slash":        {notUTF8, frames(masked(fin|opText, "\xc0\xaf"))},
		"a surrogate":              {notUTF8, frames(masked(fin|opText, "\xed\xa0\x80"))},
		"beyond Unicode":           {notUTF8, frames(masked(fin|opText, "\xf4\x90\x80\x80"))},
		"cut in two, wrongly":      {notUTF8, frames(masked(opText, "\xf0\x9f"), masked(fin|opMore, "x"))},
		"Latin-1":                  {notUTF8, frames(masked(fin|opText, "caf\xe9"))},

		// Too much.
		"100 messages":         {busy, repeat(masked(fin|opText, pause), 100)},
		"100 empty ones":       {busy, repeat(masked(fin|opText, ""), 100)},
		"100 pings":            {busy, repeat(masked(fin|opPing, "x"), 100)},
		"100 pongs":            {busy, repeat(masked(fin|opPong, "x"), 100)},
		"100 within a message": {busy, append(frames(masked(opText, "")), repeat(masked(fin|opPing, ""), 100)...)},
	}
	for op := byte(3); op <= 15; op++ {
		if op < opClose || op > opPong {
			table[fmt.Sprintf("opcode %d", op)] = struct {
				code int
				send [][]byte
			}{protocolError, frames(masked(fin|op, ""))}
		}
	}
	for code, want := range map[uint16]int{1000: 1000, 1001: 1001, 1002: 1002, 1003: 1003, 1007: 1007, 1011: 1011, 3000: 3000, 4000: 4000, 4999: 4999,
		0: protocolError, 999: protocolError, 1004: protocolError, 1005: protocolError, 1006: protocolError, 1015: protocolError, 1016: protocolError, 2999: protocolError, 5000: protocolError, 65535: protocolError} {
		table[fmt.Sprintf("close %d", code)] = struct {
			code int
			send [][]byte
		}{want, frames(closing(code, ""))}
	}
	for name, c := range map[string]struct {
		code int
		send [][]byte
	}{
		"close without a code":                 {noCode, frames(masked(fin|opClose, ""))},
		"close with half a code":               {protocolError, frames(masked(fin|opClose, "\x03"))},
		"close with a reason":                  {1000, frames(closing(1000, "leaving"))},
		"close with a reason of 123 bytes":     {1000, frames(closing(1000, strings.Repeat("r", 123)))},
		"close with a reason that is no UTF-8": {protocolError, frames(closing(1000, "\xff"))},
		"close within a message":               {1000, frames(masked(opText, "{"), closing(1000, ""))},
		"a message after a close":              {1000, frames(closing(1000, ""), masked(fin|opText, pause))},
		"a second close":                       {1000, frames(closing(1000, ""), closing(1001, ""))},
	} {
		table[name] = c
	}
	if len(table) < 60 {
		t.Errorf("only %d frames are held", len(table))
	}
	for name, c := range table {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := r.open("view=overview")
			s.next()
			s.send(c.send...)
			if c.code == staysOpen {
				if err := s.alive(); err != nil {
					t.Errorf("it is gone: %v", err)
				}
				return
			}
			if code := s.closed(patience); code != c.code {
				t.Errorf("closed with %d, want %d", code, c.code)
			}
		})
	}
}

// alive says whether a ping is answered with what it says.
func (s *socket) alive() error {
	answered := make(chan struct{}, 1)
	s.SetPongHandler(func(said string) error {
		if said == "are you there" {
			answered <- struct{}{}
		}
		return nil
	})
	s.send(masked(fin|opPing, "are you there"))
	for deadline := time.Now().Add(patience); ; {
		if _, err := s.frame(500 * time.Millisecond); err != nil && (len(answered) > 0 || time.Now().After(deadline)) {
			if len(answered) > 0 {
				return nil
			}
			return err
		} else if err != nil {
			return err
		}
		if len(answered) > 0 {
			return nil
		}
	}
}
