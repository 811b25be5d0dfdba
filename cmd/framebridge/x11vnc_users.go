package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"framebridge/internal/x11"
	"framebridge/internal/x11vnc"
)

// becomeUser takes the identity of the first user of -users who can open the
// display. Only root can; for others the option means nothing.
func (s *x11vncServer) becomeUser(ctx context.Context, display string) error {
	if os.Getuid() != 0 {
		s.log.Info("-users is for root: staying who we are")
		return nil
	}
	for name := range strings.SplitSeq(s.cfg.Users, ",") {
		name, always := strings.CutPrefix(name, "+")
		name, groupName, _ := strings.Cut(name, ".")
		u, err := user.Lookup(name)
		if err != nil {
			return fmt.Errorf("-users %s: %w", x11vnc.Printable(s.cfg.Users), err)
		}
		auth := s.auth
		if own := filepath.Join(u.HomeDir, ".Xauthority"); auth == "" && os.Getenv("XAUTHORITY") == "" {
			if _, err := os.Stat(own); err == nil {
				auth = own
			}
		}
		if !always && !opens(ctx, display, auth) {
			continue
		}
		if err := become(u, groupName); err != nil {
			return fmt.Errorf("-users %s: %w", name, err)
		}
		s.auth = auth
		s.log.Info("now user " + name)
		return nil
	}
	return fmt.Errorf("-users %s: none of them can open display %s", x11vnc.Printable(s.cfg.Users), display)
}

// opens reports whether the display can be opened.
func opens(ctx context.Context, display, auth string) bool {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	x, err := x11.Dial(ctx, x11.Options{Display: display, AuthFile: auth})
	if err == nil {
		x.Close()
	}
	return err == nil
}

// become gives up being root.
func become(u *user.User, groupName string) error {
	gid := u.Gid
	if groupName != "" {
		g, err := user.LookupGroup(groupName)
		if err != nil {
			return err
		}
		gid = g.Gid
	}
	uid, err1 := strconv.Atoi(u.Uid)
	group, err2 := strconv.Atoi(gid)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	// Without the rights of root the order could not be another.
	if err := errors.Join(syscall.Setgroups([]int{group}), syscall.Setgid(group), syscall.Setuid(uid)); err != nil {
		return err
	}
	return errors.Join(os.Setenv("HOME", u.HomeDir), os.Setenv("USER", u.Username), os.Setenv("LOGNAME", u.Username))
}
