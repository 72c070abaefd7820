package access_test

import (
	"strings"
	"testing"
	"time"

	"github.com/roomwatch/roomwatch/access"
)

var maskKey, deviceKey = access.Key{1}, access.Key{2}

func TestAMaskIsTheSameWithinASessionAndAnotherInTheNext(t *testing.T) {
	identity, name := access.Mask(maskKey, "default", "sid1", "u-1001")
	again, name2 := access.Mask(maskKey, "default", "sid1", "u-1001")
	if identity != again || name != name2 {
		t.Error("a mask changes")
	}
	seen := map[string]bool{identity: true}
	for _, c := range []struct {
		key                   access.Key
		source, sid, identity string
	}{
		{maskKey, "default", "sid1", "u-1002"}, {maskKey, "default", "sid2", "u-1001"}, {maskKey, "other", "sid1", "u-1001"},
		{deviceKey, "default", "sid1", "u-1001"}, {maskKey, "default", "sid1u", "-1001"}, {maskKey, "defaults", "id1", "u-1001"},
	} {
		other, _ := access.Mask(c.key, c.source, c.sid, c.identity)
		if seen[other] {
			t.Errorf("%+v has the mask of another", c)
		}
		seen[other] = true
	}
}

func TestAMaskTellsNothingOfWhomItHides(t *testing.T) {
	identity, name := access.Mask(maskKey, "default", "sid1", "sip_+15551234567")
	if strings.Contains(identity+name, "555") || !strings.HasPrefix(name, "Person ") || len(name) != len("Person 123456") {
		t.Error(identity, name)
	}
}

func TestADeviceIsKnownForItsOwnUserUntilItsCookieIsOld(t *testing.T) {
	cookie := access.DeviceCookie(deviceKey, ana.Key, [16]byte{7}, noon)
	for name, c := range map[string]struct {
		key    access.Key
		user   access.UserKey
		cookie string
		after  time.Duration
		known  bool
	}{
		"its own":      {deviceKey, ana.Key, cookie, 0, true},
		"for months":   {deviceKey, ana.Key, cookie, 180 * 24 * time.Hour, true},
		"too old":      {deviceKey, ana.Key, cookie, 181 * 24 * time.Hour, false},
		"another user": {deviceKey, access.LocalKey("bob"), cookie, 0, false},
		"another key":  {maskKey, ana.Key, cookie, 0, false},
		"none":         {deviceKey, ana.Key, "", 0, false},
		"cut":          {deviceKey, ana.Key, cookie[:len(cookie)-1], 0, false},
		"longer":       {deviceKey, ana.Key, cookie + "A", 0, false},
		"line end":     {deviceKey, ana.Key, cookie[:len(cookie)-1] + "\n", 0, false},
	} {
		if id := access.KnownDevice(c.key, c.user, c.cookie, noon.Add(c.after)); (id != "") != c.known {
			t.Errorf("%s: known as %q", name, id)
		}
	}
	for i := range cookie {
		forged := []byte(cookie)
		forged[i] ^= 1
		if access.KnownDevice(deviceKey, ana.Key, string(forged), noon) != "" {
			t.Errorf("a cookie with another letter %d is known", i)
		}
	}
}
