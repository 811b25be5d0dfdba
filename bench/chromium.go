package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"
)

// chromium is a headless browser, driven by the program that the page's tests use.
type chromium struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	answers chan []byte // closed when the driver has ended
	readers sync.WaitGroup
	stderr  bytes.Buffer
}

// findBrowser reports what is missing to drive a browser with web, the folder of
// the page's tests.
func findBrowser(web string) error {
	for _, p := range []string{"node", "chromium"} {
		if _, err := exec.LookPath(p); err != nil {
			return fmt.Errorf("%s is not installed", p)
		}
	}
	for _, f := range []string{"browsertest/driver.mjs", "node_modules/playwright-core", "node_modules/@novnc/novnc"} {
		if _, err := os.Stat(filepath.Join(web, f)); err != nil {
			return fmt.Errorf("%w: run npm ci in internal/web, and say with --web where that is", err)
		}
	}
	return nil
}

// startChromium starts a browser with a window of the given size.
func startChromium(ctx context.Context, web string, width, height int) (*chromium, error) {
	options, err := json.Marshal(map[string]any{"viewport": map[string]int{"width": width, "height": height}})
	if err != nil {
		return nil, err
	}
	c := &chromium{answers: make(chan []byte)}
	c.cmd = exec.Command("node", filepath.Join(web, "browsertest/driver.mjs"), string(options))
	c.cmd.Stderr = &c.stderr
	// An interrupt from the terminal is for us: the browser is closed in order.
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	c.readers.Go(func() {
		defer close(c.answers)
		s := bufio.NewScanner(out)
		s.Buffer(nil, 16<<20) // an answer is as long as what was asked for
		for s.Scan() {
			c.answers <- slices.Clone(s.Bytes())
		}
	})
	if err := c.answer(ctx, nil); err != nil {
		c.close()
		return nil, fmt.Errorf("starting a browser: %w", err)
	}
	return c, nil
}

// answerLimit is how long the browser may take to do something.
const answerLimit = time.Minute

func (c *chromium) answer(ctx context.Context, to any) error {
	limit := time.NewTimer(answerLimit)
	defer limit.Stop()
	select {
	case b, ok := <-c.answers:
		if !ok {
			return errors.New("the browser's driver has ended")
		}
		var a struct {
			Value json.RawMessage
			Error string
		}
		if err := json.Unmarshal(b, &a); err != nil {
			return fmt.Errorf("the browser's driver says %.80q: %w", b, err)
		}
		if a.Error != "" {
			return fmt.Errorf("browser: %s", firstLine(errors.New(a.Error)))
		}
		if to == nil {
			return nil
		}
		return json.Unmarshal(a.Value, to)
	case <-limit.C:
		return fmt.Errorf("the browser does not answer for %v", answerLimit)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// do runs the body of an async function of page and context, in which %v stands for
// an argument as JSON, and stores what it returns in to, if that is not nil.
func (c *chromium) do(ctx context.Context, to any, body string, args ...any) error {
	for i, a := range args {
		b, err := json.Marshal(a)
		if err != nil {
			return err
		}
		args[i] = string(b)
	}
	line, err := json.Marshal(fmt.Sprintf(body, args...))
	if err != nil {
		return err
	}
	if _, err := c.in.Write(append(line, '\n')); err != nil {
		return err
	}
	return c.answer(ctx, to)
}

// closeLimit is how long a browser may take to close.
const closeLimit = 10 * time.Second

func (c *chromium) close() {
	c.in.Close() // the driver then closes the browser
	ended := make(chan struct{})
	var drain sync.WaitGroup
	drain.Go(func() {
		defer close(ended)
		for range c.answers { // what nobody asked for any more
		}
	})
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		select {
		case <-ended:
		case <-time.After(closeLimit):
			c.cmd.Process.Signal(s) //nolint:errcheck // it may have ended
		}
	}
	drain.Wait()
	c.readers.Wait()
	c.cmd.Wait() //nolint:errcheck // what it did is known
}
