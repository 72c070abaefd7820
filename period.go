package main

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// Period is a setting that is a span of time: as Go writes durations, or in days, like 90d.
type Period time.Duration

var inDays = regexp.MustCompile(`^([0-9]{1,5})d$`)

// UnmarshalText reads "90d", "36h", "30s".
func (p *Period) UnmarshalText(text []byte) error {
	if days := inDays.FindSubmatch(text); days != nil {
		n, err := strconv.Atoi(string(days[1]))
		*p = Period(time.Duration(n) * 24 * time.Hour)
		return err
	}
	d, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is no span of time like 90d, 36h or 30s", text)
	}
	*p = Period(d)
	return nil
}

func (p Period) String() string {
	if day := 24 * time.Hour; time.Duration(p)%day == 0 && p != 0 {
		return fmt.Sprintf("%dd", time.Duration(p)/day)
	}
	return time.Duration(p).String()
}
