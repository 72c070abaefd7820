package room

// afterAll is by how much later than an absence a delivery must be to say that the absence was none.
const afterAll Time = 5_000

// heardSince is when a delivery last told of a track on a connection, by that one's sid or, where nothing told of that,
// under "of " and its owner's identity: they were there then, and what a check takes for absent before was not. Times
// are so much earlier that the clocks may differ by it. It is nil where nothing was taken for absent.
func (r *reading) heardSince() map[string]Time {
	if !r.missesAny() {
		return nil
	}
	heard := make(map[string]Time)
	for _, told := range r.Tracks {
		for _, said := range told {
			if said.Kind.Own() || !r.counts(said.Stamp) {
				continue
			}
			on := said.Said.OwnerSID
			if len(r.Connections[on]) == 0 {
				on = "of " + said.Said.Owner
			}
			heard[on] = max(heard[on], said.At-afterAll)
		}
	}
	return heard
}

func (r *reading) missesAny() bool {
	for _, told := range r.Connections {
		for _, said := range told {
			if said.Kind == KindAbsent {
				return true
			}
		}
	}
	return false
}
