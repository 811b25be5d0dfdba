package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/xgb"
	"github.com/BurntSushi/xgb/xproto"

	"framebridge/internal/x11"
)

// Request is what a client sends.
type Request struct {
	Command              string // empty: none
	Query                string // names between commas; empty: none
	HasQuery, HasCommand bool
	// Sync waits until the command was carried out. With a question that is always
	// so.
	Sync bool
	// Retries is how often a question is asked again that was not answered, or
	// whose answer does not hold Match.
	Retries int
	Delay   time.Duration // between them; default half a second
	Match   string
}

// ErrNoServer says that nobody answered.
var ErrNoServer = errors.New("could not connect to an x11vnc server")

// Times to wait for an answer.
const (
	waitAnswer = 3500 * time.Millisecond
	waitStop   = time.Second
	waitScript = 10 * time.Second
	maxWait    = time.Hour
	retryDelay = 500 * time.Millisecond
)

// patience returns how long to wait for the answer to a request.
func patience(request string) time.Duration {
	if s, err := strconv.ParseFloat(os.Getenv("X11VNC_SYNC_TIMEOUT"), 64); err == nil && s > 0 && s <= maxWait.Seconds() {
		return time.Duration(s * float64(time.Second))
	}
	c := strings.TrimPrefix(request, command)
	switch name, _, _, _ := resolve(nameOf(c)); {
	case request != c && name == "stop":
		return waitStop
	case strings.HasPrefix(c, "script:"):
		return waitScript
	}
	return waitAnswer
}

// Send sends a request and writes the answers to out, each on a line. progress,
// if not nil, is told what is sent. Nobody there to answer is an ErrNoServer; a
// command that is not waited for never fails so.
func Send(ctx context.Context, r Request, out, progress io.Writer, o Options) error {
	c, err := x11.Dial(ctx, x11.Options{Display: o.Display, AuthFile: o.AuthFile, Logger: o.Logger})
	if err != nil {
		return err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, c.Abort)()
	p, err := openChannel(ctx, c, propertyName(o.Property, remoteProperty))
	if err != nil {
		return err
	}
	k := &client{channel: p, changed: make(chan struct{}, 1), progress: progress}
	defer c.Handle(k.event)()
	if err := watch(c); err != nil {
		return err
	}
	// A ping is a question, whoever sends it.
	if r.HasCommand && (r.Command == "ping" || strings.HasPrefix(r.Command, "ping:")) {
		if !r.HasQuery {
			r.Query, r.HasQuery = r.Command, true
		}
		r.HasCommand = false
	}
	if r.HasCommand {
		if err := k.send(command + r.Command); err != nil {
			return err
		}
		if r.Sync || r.HasQuery {
			if err := k.answer(ctx, command+r.Command, out); err != nil {
				return err
			}
		}
	}
	if !r.HasQuery {
		return nil
	}
	return k.ask(ctx, r, out)
}

type client struct {
	channel
	changed  chan struct{} // capacity 1
	progress io.Writer
	sent     string
}

func (k *client) event(e xgb.Event) {
	if n, ok := e.(xproto.PropertyNotifyEvent); ok && n.Atom == k.atom {
		select {
		case k.changed <- struct{}{}:
		default:
		}
	}
}

func (k *client) send(request string) error {
	if len(request) > maxValue {
		return fmt.Errorf("a request of %d bytes, want at most %d", len(request), maxValue)
	}
	if k.progress != nil {
		fmt.Fprintf(k.progress, ">>> sending remote command: \"%s\" via %s X property.\n", printable(request), k.name)
	}
	k.sent = request
	return k.write(request)
}

// answer waits for what the server writes over a request, and prints it.
func (k *client) answer(ctx context.Context, request string, out io.Writer) error {
	text, err := k.await(ctx, request)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, text)
	return err
}

func (k *client) await(ctx context.Context, request string) (string, error) {
	timer := time.NewTimer(patience(request))
	defer timer.Stop()
	for {
		value, err := k.read()
		if err != nil {
			return "", err
		}
		if value != k.sent && isAnswer(value) {
			return clean(value), nil
		}
		select {
		case <-k.changed:
		case <-timer.C:
			return "", ErrNoServer
		case <-ctx.Done():
			return "", ctx.Err()
		case <-k.conn.Done():
			return "", k.conn.Err()
		}
	}
}

// isAnswer reports whether a server wrote it.
func isAnswer(s string) bool {
	return strings.HasPrefix(s, answer) || strings.HasPrefix(s, readOnly) || strings.HasPrefix(s, "ack=")
}

// clean removes what could do something to a terminal: anybody on the display
// could have written it.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r >= 0x7f && r < 0xa0 {
			return -1
		}
		return r
	}, s)
}

// ask asks, and asks again if it must.
func (k *client) ask(ctx context.Context, r Request, out io.Writer) error {
	delay := r.Delay
	if delay <= 0 {
		delay = retryDelay
	}
	for try := 0; ; try++ {
		if err := k.send(question + r.Query); err != nil {
			return err
		}
		text, err := k.await(ctx, question+r.Query)
		switch {
		case err == nil:
			if _, err := fmt.Fprintln(out, text); err != nil {
				return err
			}
			if r.Match == "" || strings.Contains(text, r.Match) {
				return nil
			}
			err = fmt.Errorf("no answer holds %q", r.Match)
			if try >= r.Retries {
				return err
			}
		case !errors.Is(err, ErrNoServer) || try >= r.Retries:
			return err
		}
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// maxRetries bounds -query_retries: a day of half seconds.
const maxRetries = 200_000

// ParseRetries reads -query_retries' value: N[:SECONDS][/MATCH].
func ParseRetries(s string) (n int, delay time.Duration, match string, err error) {
	bad := errors.New("want N[:SECONDS][/TEXT]")
	spec, match, _ := strings.Cut(s, "/")
	count, seconds, hasDelay := strings.Cut(spec, ":")
	if n, err = strconv.Atoi(count); err != nil || n < 0 || n > maxRetries {
		return 0, 0, "", bad
	}
	if hasDelay {
		f, err := strconv.ParseFloat(seconds, 64)
		if err != nil || !(f >= 0) || f > maxWait.Seconds() {
			return 0, 0, "", bad
		}
		delay = time.Duration(f * float64(time.Second))
	}
	return n, delay, match, nil
}
