package reverse

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"time"
)

// maxLine bounds what is read of a file of targets.
const maxLine = 64 << 10

// WatchFile looks at a file from time to time: f is called with its first line,
// and the file is emptied. A file that is not there can come later. It returns
// when ctx is done.
func WatchFile(ctx context.Context, path string, every time.Duration, f func(line string)) {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		if line, err := takeLine(path); err == nil && line != "" {
			f(line)
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
	}
}

// takeLine returns a file's first line and empties the file.
func takeLine(path string) (string, error) {
	st, err := os.Stat(path)
	if err != nil || st.Size() == 0 {
		return "", err
	}
	if !st.Mode().IsRegular() {
		return "", errors.New("no regular file")
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return "", err
	}
	defer file.Close()
	b, err := io.ReadAll(io.LimitReader(file, maxLine))
	if err != nil {
		return "", err
	}
	if err := file.Truncate(0); err != nil {
		return "", err
	}
	line, _, _ := bytes.Cut(b, []byte("\n"))
	return strings.TrimSpace(string(line)), nil
}
