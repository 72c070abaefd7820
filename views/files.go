package views

import (
	"net/url"
	"slices"

	"github.com/a-h/templ"

	"github.com/roomwatch/roomwatch/live"
	"github.com/roomwatch/roomwatch/room"
)

// askable says whether the plugNmeet of a source can be asked: for files, and to end rooms.
func askable(sources []live.SourceState, name string) bool {
	i := slices.IndexFunc(sources, func(s live.SourceState) bool { return s.Name == name })
	return i >= 0 && sources[i].API != live.APINone
}

// fileURL is where the file of a recording or an artifact is downloaded, "" when it cannot be.
func fileURL(sources []live.SourceState, k room.Key, what, id string) string {
	if !askable(sources, k.Source) {
		return ""
	}
	return roomPath(k, "/"+what+"/"+url.PathEscape(id)+"/file")
}

// roomPath is an address under that of a session's page.
func roomPath(k room.Key, path string) string {
	address := "/rooms/" + url.PathEscape(k.SID) + path
	if k.Source != "default" {
		address += "?source=" + url.QueryEscape(k.Source)
	}
	return address
}

func recordingFileURL(sources []live.SourceState, k room.Key, r room.Recording) string {
	if r.FilePath == "" {
		return ""
	}
	return fileURL(sources, k, "recordings", r.RecordID)
}

func artifactFileURL(sources []live.SourceState, k room.Key, a room.Artifact) string {
	if !room.Downloadable(a.Type) {
		return ""
	}
	return fileURL(sources, k, "artifacts", a.ArtifactID)
}

// recordingOf is a recording with the address of its file.
type recordingOf struct {
	room.Recording
	file string
}

// artifactOf is an artifact with the address of its file.
type artifactOf struct {
	room.Artifact
	file string
}

// Ending is the question whether a session shall be ended.
type Ending struct {
	Key     room.Key
	Name    string
	People  int
	Bots    int
	Problem string // why it was not done
	Ended   bool   // there is nothing to end
}

func (e Ending) url() templ.SafeURL { return templ.URL(roomPath(e.Key, "/end")) }

func (e Ending) back() templ.SafeURL { return templ.URL(roomPath(e.Key, "")) }

// EndRoomRoot is the question as the root of a page.
func EndRoomRoot(e Ending) []byte { return render(endRoom(e)) }

// filesOf are the sources of which files can be downloaded by who looks.
func filesOf(sources []live.SourceState, none bool) []live.SourceState {
	if none {
		return nil
	}
	return sources
}
