package access

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// Mask is what somebody is called where names are masked: an identity that stands for theirs, and a name.
// Both are the same for one identity within one session, on every replica and at any time; in another
// session they differ, so that nobody can be followed from meeting to meeting. Without the key they cannot be
// turned back, not even by trying all identities. Nothing of the name goes in: initials tell a colleague
// enough. Identities of SIP callers are phone numbers: they are masked like everybody's.
func Mask(key Key, source, sid, identity string) (maskedIdentity, name string) {
	digest := hex.EncodeToString(keyed(key, source, sid, identity))
	return "masked-" + digest[:24], "Person " + digest[:6]
}

// keyed is a keyed digest of fields, each with its length: no two lists of fields make one text.
func keyed(key Key, fields ...string) []byte {
	mac := hmac.New(sha256.New, key[:])
	for _, field := range fields {
		mac.Write(binary.BigEndian.AppendUint32(nil, uint32(len(field))))
		mac.Write([]byte(field))
	}
	return mac.Sum(nil)
}
