//go:build linux && race

package main

// underRace: the race detector has pools forget what they hold.
const underRace = 2
