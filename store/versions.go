package store

import (
	"sync"

	"github.com/roomwatch/roomwatch/room"
)

// maxVersions bounds how many documents are known by version.
const maxVersions = 200_000

// versions names the documents as they are now. A session that was loaded from its document, or saved as it,
// carries that one's name: as long as it is the same, the session has every fact of the document, for facts
// only grow, and a save need not read and merge it.
type versions struct {
	mu    sync.Mutex
	last  uint64
	names map[room.Key]uint64 // a document without a name has never the one of a session
}

// of is the name of a document, a new one if it has none.
func (v *versions) of(key room.Key) uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	name := v.names[key]
	if name == 0 {
		name = v.rename(key)
	}
	return name
}

func (v *versions) rename(key room.Key) uint64 {
	if v.names == nil || len(v.names) >= maxVersions {
		v.names = make(map[room.Key]uint64)
	}
	v.last++
	v.names[key] = v.last
	return v.last
}

// current says whether a session has every fact of its document.
func (v *versions) current(s *room.Session) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return s.Stored != 0 && s.Stored == v.names[s.Key()]
}

// written gives documents new names, which those sessions carry whose facts they are all of.
func (v *versions) written(docs []*document) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, d := range docs {
		name := v.rename(d.session.Key())
		if d.of != nil {
			d.of.Stored = name
		}
	}
}
