//go:build !amd64 || purego

package encode

func photoSteps(row, below []byte) (equal, small uint8) { return photoStepsGeneric(row, below) }
