package access

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"time"
)

// DeviceLife is how long a browser stays known after somebody logged in with it.
const DeviceLife = 180 * 24 * time.Hour

// Parts of a device cookie, in bytes: an id of 16, the time in seconds, and a digest.
const (
	deviceID   = 16
	deviceHead = deviceID + 8
	deviceSize = deviceHead + 32
)

var cookieText = base64.RawURLEncoding.Strict()

// DeviceCookie is put into a browser in which the user has just logged in. It opens nothing: a guesser who
// has none cannot use up the guesses of the browser that has one (see Throttle).
func DeviceCookie(key Key, user UserKey, id [deviceID]byte, now time.Time) string {
	head := binary.BigEndian.AppendUint64(id[:], uint64(now.Unix()))
	return cookieText.EncodeToString(append(head, keyed(key, string(user), string(head))...))
}

// KnownDevice is the id of the device if the cookie was made for this user and is not too old, else "".
func KnownDevice(key Key, user UserKey, cookie string, now time.Time) string {
	if len(cookie) != cookieText.EncodedLen(deviceSize) {
		return ""
	}
	raw, err := cookieText.DecodeString(cookie)
	if err != nil || len(raw) != deviceSize {
		return ""
	}
	head, digest := raw[:deviceHead], raw[deviceHead:]
	if !hmac.Equal(digest, keyed(key, string(user), string(head))) {
		return ""
	}
	made := time.Unix(int64(binary.BigEndian.Uint64(head[deviceID:])), 0)
	if now.Sub(made) > DeviceLife {
		return ""
	}
	return hex.EncodeToString(head[:deviceID])
}
