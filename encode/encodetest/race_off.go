//go:build !race

package encodetest

const underRace = false
