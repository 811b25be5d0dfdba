//go:build !unix

package fbdir

import (
	"errors"
	"os"
)

func mapFile(*os.File, int) ([]byte, error) {
	return nil, errors.New("files are mapped on Unix only")
}

func unmap([]byte) {}
