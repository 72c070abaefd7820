package views

import "time"

func Gallery(now time.Time) []byte { return render(notice("Gallery", "x", "y")) }
