package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"framebridge/rfb"
)

// maxPasswordFile bounds what is read of a password file: two passwords and
// what people write around them.
const maxPasswordFile = 4096

// passwordLen is how many bytes of a password VNC Authentication uses.
const passwordLen = 8

// readSmall reads a file of at most maxPasswordFile bytes.
func readSmall(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxPasswordFile+1))
	if err == nil && len(b) > maxPasswordFile {
		err = fmt.Errorf("is larger than %d bytes", maxPasswordFile)
	}
	return b, err
}

// parsePasswords reads a password file: what vncpasswd writes (8 bytes, or 16
// with a second password for viewing only), or text, the password on the first
// line and the one for viewing only on the second.
//
// Eight printable characters without a line end can be both; then both readings
// are passwords: who knows one of them has read the file.
func parsePasswords(b []byte) (full, view [][]byte, err error) {
	text := bytes.TrimRight(b, "\r\n")
	if len(text) == 0 {
		return nil, nil, errors.New("is empty")
	}
	if len(b) == passwordLen || len(b) == 2*passwordLen {
		f, v, err := rfb.ParsePasswordFile(b)
		if err != nil && !printable(b) {
			return nil, nil, err
		}
		if err == nil {
			full = append(full, f)
			if v != nil {
				view = append(view, v)
			}
		}
		if !printable(b) {
			return full, view, nil
		}
	}
	if !printable(text) {
		return nil, nil, fmt.Errorf("has %d bytes and is no text: a file from vncpasswd has 8 or 16", len(b))
	}
	lines := bytes.Split(text, []byte("\n"))
	first := bytes.TrimRight(lines[0], "\r")
	if len(first) == 0 {
		return nil, nil, errors.New("has an empty first line")
	}
	full = append(full, first)
	if len(lines) > 1 {
		if second := bytes.TrimRight(lines[1], "\r"); len(second) > 0 {
			view = append(view, second)
		}
	}
	return full, view, nil
}

// printable reports whether b is text: no control characters but line ends and
// tabs.
func printable(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

func newPasswd() *cobra.Command {
	return &cobra.Command{
		Use:   "passwd [FILE]",
		Short: "Write a password file (default ~/.vnc/passwd; - is stdout)",
		Long: `Writes a password to FILE in the form of vncpasswd. It is asked for twice on a
terminal and read from the first line of standard input otherwise.

VNC Authentication uses the first 8 bytes of a password only. The file hides the
password from a glance, no more: keep it to yourself.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("passwd takes one FILE")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			name := ""
			if len(args) == 1 {
				name = args[0]
			} else {
				home, err := os.UserHomeDir()
				if err != nil {
					return fmt.Errorf("%w: name a FILE", err)
				}
				name = filepath.Join(home, ".vnc", "passwd")
				if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
					return err
				}
			}
			password, err := askPassword(cmd.InOrStdin(), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			if len(password) == 0 {
				return errors.New("the password is empty: nothing written")
			}
			if len(password) > passwordLen {
				fmt.Fprintf(cmd.ErrOrStderr(), "framebridge: only the first %d bytes of the password count\n", passwordLen)
			}
			b, err := rfb.ObscurePassword(password)
			if err != nil {
				return err
			}
			if name == "-" {
				_, err := cmd.OutOrStdout().Write(b)
				return err
			}
			return replaceFile(name, b)
		},
	}
}

// askPassword reads a password.
func askPassword(in io.Reader, prompt io.Writer) ([]byte, error) {
	f, ok := in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		line, err := bufio.NewReader(io.LimitReader(in, maxPasswordFile)).ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read password: %w", err)
		}
		return bytes.TrimRight(line, "\r\n"), nil
	}
	ask := func(what string) ([]byte, error) {
		fmt.Fprint(prompt, what)
		defer fmt.Fprintln(prompt)
		return term.ReadPassword(int(f.Fd()))
	}
	first, err := ask("Password: ")
	if err != nil {
		return nil, fmt.Errorf("read password: %w", err)
	}
	second, err := ask("Again: ")
	if err != nil {
		return nil, fmt.Errorf("read password: %w", err)
	}
	if !bytes.Equal(first, second) {
		return nil, errors.New("the two passwords differ: nothing written")
	}
	return first, nil
}

// replaceFile writes a file that only its owner can read, whole or not at all.
func replaceFile(name string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".passwd-*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
