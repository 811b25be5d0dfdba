package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/term"

	"framebridge/internal/vnc"
	"framebridge/internal/x11vnc"
	"framebridge/rfb"
)

// secrets are how viewers show that they may come in.
type secrets struct {
	list []rfb.Password // fixed
	// check, if set, decides itself, when a viewer has given its answer: port probes
	// run no commands.
	check func(ctx context.Context, p vnc.Peer, challenge, response [16]byte) (vnc.Rights, bool)
}

func (x secrets) none() bool { return len(x.list) == 0 && x.check == nil }

// maxPasswdFile bounds a -passwdfile: a thousand lines with comments.
const maxPasswdFile = 256 << 10

// secrets reads the passwords that the options name.
func (s *x11vncServer) secrets() (secrets, error) {
	c := s.cfg
	if c.UsePw && c.Passwd == nil && c.RFBAuth == "" && c.PasswdFile == "" {
		if err := s.usePw(); err != nil {
			return secrets{}, err
		}
	}
	switch {
	case c.RFBAuth != "":
		return s.rfbAuth(c.RFBAuth)
	case c.PasswdFile != "":
		return s.passwdFile(c.PasswdFile)
	case c.Passwd != nil:
		full := [][]byte{x11vnc.Secret(*c.Passwd)}
		var view [][]byte
		if c.ViewPasswd != nil {
			view = append(view, x11vnc.Secret(*c.ViewPasswd))
		}
		return secrets{list: s.grants(full, view)}, nil
	}
	return secrets{}, nil
}

// grants gives passwords their rights.
func (s *x11vncServer) grants(full, view [][]byte) []rfb.Password {
	var list []rfb.Password
	add := func(secret []byte, r vnc.Rights) {
		if len(secret) > passwordLen {
			s.log.Warn("only the first 8 bytes of a password count")
		}
		list = append(list, rfb.Password{Secret: secret, Grant: r})
	}
	for _, p := range full {
		add(p, s.rights(false))
	}
	for _, p := range view {
		add(p, s.rights(true))
	}
	return list
}

func (s *x11vncServer) rfbAuth(name string) (secrets, error) {
	b, err := readSmall(name)
	if err == nil {
		var full, view []byte
		if full, view, err = rfb.ParsePasswordFile(b); err == nil {
			lists := [2][][]byte{{full}}
			if view != nil {
				lists[1] = [][]byte{view}
			}
			return secrets{list: s.grants(lists[0], lists[1])}, nil
		}
	}
	return secrets{}, fmt.Errorf("-rfbauth %s: %w: make one with x11vnc -storepasswd PASSWORD %s", name, pathReason(err), name)
}

// passwdFile reads -passwdfile's value.
func (s *x11vncServer) passwdFile(v string) (secrets, error) {
	kind, rest, ok := strings.Cut(v, ":")
	if !ok {
		kind, rest = "", v
	}
	switch kind {
	case "rm", "read", "cmd", "custom":
	default:
		kind, rest = "", v
	}
	if (kind == "cmd" || kind == "custom") && !s.mayRun("passwdfile") {
		return secrets{}, fmt.Errorf("-passwdfile %s: no commands are allowed", kind)
	}
	switch kind {
	case "cmd":
		return s.lookUp(func(ctx context.Context, p vnc.Peer) ([]rfb.Password, error) {
			out, code, err := s.hooks.run(ctx, rest, s.hooks.environment("passwdfile", p, s.viewers()), nil)
			if err == nil && code != 0 {
				err = fmt.Errorf("exit code %d", code)
			}
			if err != nil {
				return nil, fmt.Errorf("-passwdfile cmd: %w", err)
			}
			return s.parse("-passwdfile cmd", out)
		}), nil
	case "custom":
		return secrets{check: func(ctx context.Context, p vnc.Peer, challenge, response [16]byte) (vnc.Rights, bool) {
			in := append(fmt.Appendf(nil, "%d\n", len(challenge)), challenge[:]...)
			_, code, err := s.hooks.run(ctx, rest, s.hooks.environment("passwdfile", p, s.viewers()), append(in, response[:]...))
			return s.rights(false), err == nil && code == 0
		}}, nil
	}
	read := func() ([]rfb.Password, error) {
		st, err := os.Stat(rest)
		if err == nil && st.Size() > maxPasswdFile {
			err = fmt.Errorf("is larger than %d bytes", maxPasswdFile)
		}
		var b []byte
		if err == nil {
			b, err = os.ReadFile(rest)
		}
		if err != nil {
			return nil, fmt.Errorf("cannot open passwdfile: %s: %w", rest, pathReason(err))
		}
		return s.parse("passwdfile "+rest, b)
	}
	list, err := read()
	switch {
	case err != nil:
		return secrets{}, err
	case kind == "read":
		return s.lookUp(func(context.Context, vnc.Peer) ([]rfb.Password, error) { return read() }), nil
	case kind == "rm":
		if err := os.Remove(rest); err != nil {
			return secrets{}, fmt.Errorf("-passwdfile rm: %w", err)
		}
	}
	return secrets{list: list}, nil
}

// lookUp makes secrets of passwords that are looked up for each viewer.
func (s *x11vncServer) lookUp(read func(ctx context.Context, p vnc.Peer) ([]rfb.Password, error)) secrets {
	return secrets{check: func(ctx context.Context, p vnc.Peer, challenge, response [16]byte) (vnc.Rights, bool) {
		list, err := read(ctx, p)
		if err != nil {
			s.log.Error("cannot look up passwords: nobody gets in", "error", err)
			return vnc.Rights{}, false
		}
		match, ok := rfb.MatchResponse(list, challenge, response)
		r, _ := match.Grant.(vnc.Rights)
		return r, ok
	}}
}

func (s *x11vncServer) parse(what string, b []byte) ([]rfb.Password, error) {
	if bytes.IndexByte(b, 0) >= 0 {
		return nil, fmt.Errorf("%s is no text: files of -storepasswd are for -rfbauth", what)
	}
	full, view, err := x11vnc.ParsePasswords(string(b))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return s.grants(full, view), nil
}

// pathReason strips what os adds to its errors.
func pathReason(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// usePw finds the user's password, or asks for one.
func (s *x11vncServer) usePw() error {
	home, err := os.UserHomeDir()
	if err != nil {
		return fmt.Errorf("x11vnc -usepw: could not find a password to use: %w", err)
	}
	auth, list := filepath.Join(home, ".vnc", "passwd"), filepath.Join(home, ".vnc", "passwdfile")
	if _, err := os.Stat(auth); err == nil {
		s.cfg.RFBAuth = auth
		return nil
	}
	if _, err := os.Stat(list); err == nil {
		s.cfg.PasswdFile = list
		return nil
	}
	if term.IsTerminal(int(os.Stdin.Fd())) {
		if storePassword("", auth) == exitOK {
			s.cfg.RFBAuth = auth
			return nil
		}
	}
	return errors.New("x11vnc -usepw: could not find a password to use: make one with x11vnc -storepasswd")
}

// storePassword writes a password file; an empty password is asked for. It returns
// the exit code.
func storePassword(password, file string) int {
	fail := func(err error) int {
		fmt.Fprintf(os.Stderr, "storepasswd: %v\n-storepasswd failed for file: %s\n", pathReason(err), file)
		return exitError
	}
	asked := password == ""
	if asked {
		b, err := askPassword(os.Stdin, os.Stderr)
		if err != nil {
			return fail(err)
		}
		password = string(b)
	}
	if password == "" {
		return fail(errors.New("the password is empty"))
	}
	b, err := rfb.ObscurePassword([]byte(password))
	if err != nil {
		return fail(err)
	}
	if asked {
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return fail(err)
		}
	}
	if err := replaceFile(file, b); err != nil {
		return fail(err)
	}
	if len(password) > passwordLen {
		fmt.Fprintln(os.Stderr, "only the first 8 bytes of the password count")
	}
	if asked {
		fmt.Println("Password written to:", file)
	} else {
		fmt.Fprintln(os.Stderr, "stored passwd in file:", file)
	}
	return exitOK
}
