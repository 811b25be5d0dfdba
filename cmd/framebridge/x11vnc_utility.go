package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"framebridge/internal/x11vnc"
	"framebridge/rfb"
)

// x11vncLikeness is the version of x11vnc whose options these are. Scripts look at
// it.
const x11vncLikeness = "0.9.16"

func x11vncVersion() string { return x11vncLikeness + " (framebridge " + version + ")" }

// x11vncUtility does what is no serving, and returns the exit code.
func x11vncUtility(c *x11vnc.Config) int {
	arg := ""
	if len(c.Args) > 0 {
		arg = c.Args[0]
	}
	switch c.Utility {
	case "-help":
		fmt.Print(x11vnc.Help())
		return exitError // as x11vnc does
	case "-opts":
		fmt.Print(x11vnc.List())
		return exitError
	case "-version":
		fmt.Println("x11vnc: " + x11vncLikeness + " lastmod: framebridge-" + version)
	case "-sslCertInfo":
		if err := certInfo(os.Stdout, &c.TLS, arg); err != nil {
			fmt.Fprintln(os.Stderr, "-sslCertInfo:", err)
			return exitError
		}
	case "-license":
		fmt.Println("framebridge is under the Apache License, version 2.0: https://www.apache.org/licenses/LICENSE-2.0\nIt comes without warranty. It is not x11vnc, and contains nothing of it.")
	case "-storepasswd":
		return storeUtility(c.Args)
	case "-showrfbauth":
		b, err := readSmall(arg)
		var full []byte
		if err == nil {
			full, _, err = rfb.ParsePasswordFile(b)
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "-showrfbauth %s: %v\n", x11vnc.Printable(arg), pathReason(err))
			return exitError
		}
		fmt.Printf("rfbDecryptPasswdFromFile file: %s\nrfbDecryptPasswdFromFile pass: %s\n", arg, full)
	case "-finddpy", "-listdpy":
		list := findDisplays(context.Background(), c.Display, c.Auth)
		if len(list) == 0 {
			fmt.Fprintln(os.Stderr, c.Utility+": no display answers")
			return exitError
		}
		if c.Utility == "-finddpy" {
			list = list[:1]
		}
		for _, d := range list {
			fmt.Println("DISPLAY=" + d)
		}
	case "-findauth":
		display := arg
		for _, d := range []string{c.Display, os.Getenv("DISPLAY"), ":0"} {
			if display == "" {
				display = d
			}
		}
		fmt.Println("XAUTHORITY=" + guessAuth(display))
	}
	return exitOK
}

// storeUtility is -storepasswd in its three forms.
func storeUtility(args []string) int {
	switch len(args) {
	case 0:
		home, err := os.UserHomeDir()
		if err != nil {
			fmt.Fprintln(os.Stderr, "-storepasswd:", err)
			return exitError
		}
		return storePassword("", filepath.Join(home, ".vnc", "passwd"))
	case 1:
		return storePassword("", args[0])
	case 2:
		if args[0] == "" {
			fmt.Fprintln(os.Stderr, "-storepasswd: the password is empty: nothing written")
			return exitError
		}
		return storePassword(args[0], args[1])
	}
	fmt.Fprintf(os.Stderr, "-storepasswd takes [[PASSWORD] FILE], not %d arguments\n-storepasswd failed for file: %s\n", len(args), args[1])
	return exitError
}
