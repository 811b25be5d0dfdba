//go:build race

package encodetest

// underRace: the race detector makes a sync.Pool forget at random.
const underRace = true
