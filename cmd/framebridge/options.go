package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"framebridge/internal/port"
	"framebridge/internal/vnc"
	"framebridge/rfb"
)

// serveOptions are serve's flags.
type serveOptions struct {
	display        string
	auth           string
	listen         string
	rfbListen      string
	rfbDelay       time.Duration
	web            bool // HTTP on the listen address, beside RFB
	noWeb          bool // turns web off
	webDir         string
	webrtc         bool // WebRTC beside WebSockets
	webrtcUDP      string
	publicIPs      []string
	webHosts       []string
	tlsCert        string
	tlsKey         string
	unixSocket     string
	passwordFile   string
	noAuth         bool
	viewOnly       bool
	desktopName    string
	shared         string
	capture        string
	fbdir          string
	waitDisplay    time.Duration
	verifyInterval time.Duration
	maxFPS         int
	lossless       bool
	maxQuality     int
	maxCutText     int
	logLevel       string
	logFormat      string
}

const defaultListen = "127.0.0.1:5900"

// Values of --webrtc-udp beside addresses.
const (
	sameAddress = "same"
	noUDP       = "off"
)

// captureMethods are the values of --capture.
var captureMethods = []string{"auto", "shmfd", "shm", "getimage", "fbdir"}

// register adds the flags. own says that the X server is ours: then nothing
// about finding it can be set.
func (o *serveOptions) register(f *pflag.FlagSet, own bool) {
	f.SortFlags = false
	if !own {
		f.StringVar(&o.display, "display", "", "X display to serve: :1, unix:1, host:1 (default $DISPLAY)")
		f.StringVar(&o.auth, "auth", "", "Xauthority file (default $XAUTHORITY, then ~/.Xauthority)")
		f.DurationVar(&o.waitDisplay, "wait-display", 0, "how long to wait for the display to come up; 0: for ever")
	}
	f.StringVar(&o.listen, "listen", defaultListen, "TCP address for viewers and browsers; port 0 picks a free one, empty: none")
	f.StringVar(&o.rfbListen, "rfb-listen", "", "TCP address for viewers only, which greets them without --rfb-delay")
	f.DurationVar(&o.rfbDelay, "rfb-delay", port.DefaultDelay, "how long a client of --listen says nothing until it is greeted as a viewer; browsers speak first")
	f.BoolVar(&o.web, "web", true, "serve browsers on --listen, too")
	f.BoolVar(&o.noWeb, "no-web", false, "the same as --web=false: --listen is for viewers only, without delay")
	f.StringVar(&o.webDir, "web-dir", "", "folder whose files browsers get in place of the page, such as /usr/share/novnc")
	f.BoolVar(&o.webrtc, "webrtc", true, "serve video over WebRTC, too: for pages that are neither https nor localhost, and for WHEP players (/whep)")
	f.StringVar(&o.webrtcUDP, "webrtc-udp", sameAddress, "UDP address for WebRTC, HOST:PORT; same: that of --listen, where it is free; off: WebRTC goes over TCP on --listen alone")
	f.StringSliceVar(&o.publicIPs, "webrtc-public-ip", nil, "address that WebRTC viewers are told in place of the machine's own, where NAT gives it another; may be given twice, for IPv4 and IPv6")
	f.StringSliceVar(&o.webHosts, "web-host", nil, "name under which browsers may reach the server, beside addresses and local names; may be given several times; *: any")
	f.StringVar(&o.tlsCert, "tls-cert", "", "file with the certificate chain (PEM): https, and RFB over TLS, on --listen as well")
	f.StringVar(&o.tlsKey, "tls-key", "", "file with the certificate's key (PEM)")
	f.StringVar(&o.unixSocket, "unix-socket", "", "unix socket for viewers, made with mode 0600")
	f.StringVar(&o.passwordFile, "password-file", "", "file with the password, from 'framebridge passwd' or vncpasswd, or a line of text; a second one is for viewing only")
	f.BoolVar(&o.noAuth, "no-auth", false, "let everybody in who can connect, beyond loopback, too")
	f.BoolVar(&o.viewOnly, "view-only", false, "ignore the viewers' keyboard, pointer and clipboard")
	f.StringVar(&o.desktopName, "desktop-name", "", "name that viewers show (default: host and display)")
	f.StringVar(&o.shared, "shared", string(vnc.SharingViewer), "other viewers when one comes: always stay, never stay, or as the viewer wants; refuse: it is turned away while there is one")
	f.StringVar(&o.capture, "capture", "auto", "how pixels are read: "+strings.Join(captureMethods, ", "))
	f.StringVar(&o.fbdir, "fbdir", "", "folder of Xvfb's -fbdir, for --capture fbdir")
	f.DurationVar(&o.verifyInterval, "verify-interval", 2*time.Second, "time between checks for drawing that DAMAGE does not report; 0: off")
	f.IntVar(&o.maxFPS, "max-fps", 60, "captures a second while the screen changes all the time, 1 to 1000")
	f.BoolVar(&o.lossless, "lossless", false, "send no JPEG, whatever viewers allow")
	f.IntVar(&o.maxQuality, "max-quality", 9, "highest JPEG quality level that viewers get, 1 to 9")
	f.IntVar(&o.maxCutText, "max-cut-text", rfb.DefaultMaxCutText, "largest clipboard in bytes")
	f.StringVar(&o.logLevel, "log-level", "info", "debug, info, warn or error")
	f.StringVar(&o.logFormat, "log-format", "text", "text or json")
}

// check finds what is wrong with the flags before anything is started.
func (o *serveOptions) check() error {
	if o.noWeb {
		o.web = false
	}
	if o.listen == "" && o.rfbListen == "" && o.unixSocket == "" {
		return usagef("--listen, --rfb-listen and --unix-socket are all empty: viewers need one of them")
	}
	if err := checkAddress("--listen", o.listen); err != nil {
		return err
	}
	if err := checkAddress("--rfb-listen", o.rfbListen); err != nil {
		return err
	}
	if o.rfbDelay <= 0 || o.rfbDelay > 10*time.Second {
		return usagef("--rfb-delay %v: want more than 0 and at most 10s; --rfb-listen has no delay", o.rfbDelay)
	}
	if (o.tlsCert == "") != (o.tlsKey == "") {
		return usagef("--tls-cert and --tls-key need each other")
	}
	if !o.web && (o.webDir != "" || o.tlsCert != "" || len(o.webHosts) > 0) {
		return usagef("--web-dir, --web-host, --tls-cert and --tls-key are of no use with --no-web")
	}
	if o.passwordFile != "" && o.noAuth {
		return usagef("--password-file and --no-auth exclude each other")
	}
	known := false
	for _, m := range captureMethods {
		known = known || m == o.capture
	}
	if !known {
		return usagef("--capture %s: want one of %s", o.capture, strings.Join(captureMethods, ", "))
	}
	if o.capture == "fbdir" && o.fbdir == "" {
		return usagef("--capture fbdir needs --fbdir, the folder that Xvfb was given with -fbdir")
	}
	if _, err := vnc.ParseSharing(o.shared); err != nil {
		return usagef("--shared: %w", err)
	}
	if o.maxFPS < 1 || o.maxFPS > 1000 {
		return usagef("--max-fps %d: want 1 to 1000", o.maxFPS)
	}
	if o.maxQuality < 1 || o.maxQuality > 9 {
		return usagef("--max-quality %d: want 1 to 9", o.maxQuality)
	}
	if o.maxCutText < 1 || o.maxCutText > 1<<30 {
		return usagef("--max-cut-text %d: want 1 to %d", o.maxCutText, 1<<30)
	}
	if o.verifyInterval < 0 {
		return usagef("--verify-interval %v: want 0 or more", o.verifyInterval)
	}
	if o.waitDisplay < 0 {
		return usagef("--wait-display %v: want 0 or more", o.waitDisplay)
	}
	if o.passwordFile == "" && !o.noAuth {
		if err := loopbackOnly("--listen", o.listen); err != nil {
			return err
		}
		if err := loopbackOnly("--rfb-listen", o.rfbListen); err != nil {
			return err
		}
	}
	return nil
}

// checkAddress finds what is wrong with an address to listen on; empty means none.
func checkAddress(flag, addr string) error {
	if addr == "" {
		return nil
	}
	if _, port, err := net.SplitHostPort(addr); err != nil {
		return usagef("%s %s: want HOST:PORT, such as %s or :5900", flag, addr, defaultListen)
	} else if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return usagef("%s %s: port %q is not a number from 0 to 65535", flag, addr, port)
	}
	return nil
}

// loopbackOnly refuses an address that other machines can reach.
func loopbackOnly(flag, addr string) error {
	if addr == "" {
		return nil
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	ips, err := net.LookupIP(host)
	if host == "" {
		ips, err = []net.IP{net.IPv4zero}, nil
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", flag, addr, err)
	}
	for _, ip := range ips {
		if !ip.IsLoopback() {
			return fmt.Errorf("%s %s can be reached by others and there is no password: give --password-file FILE (see 'framebridge passwd'), or --no-auth if everybody may come in", flag, addr)
		}
	}
	return nil
}

// logger returns the log as the flags want it.
func (o *serveOptions) logger(w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(o.logLevel)); err != nil {
		return nil, usagef("--log-level %s: want debug, info, warn or error", o.logLevel)
	}
	ho := &slog.HandlerOptions{Level: level}
	switch o.logFormat {
	case "text":
		return slog.New(slog.NewTextHandler(w, ho)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, ho)), nil
	}
	return nil, usagef("--log-format %s: want text or json", o.logFormat)
}

// rights are what a full password, or nobody's password, grants.
func (o *serveOptions) rights() vnc.Rights {
	if o.viewOnly {
		return vnc.ViewRights
	}
	return vnc.FullRights
}

// passwords reads the password file.
func (o *serveOptions) passwords() ([]rfb.Password, error) {
	if o.passwordFile == "" {
		return nil, nil
	}
	st, err := os.Stat(o.passwordFile)
	if err == nil && st.IsDir() {
		err = errors.New("is a directory")
	}
	var b []byte
	if err == nil {
		b, err = readSmall(o.passwordFile)
	}
	if err != nil {
		var pe *os.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return nil, fmt.Errorf("password file %s: %w: make one with 'framebridge passwd %s'", o.passwordFile, err, o.passwordFile)
	}
	full, view, err := parsePasswords(b)
	if err != nil {
		return nil, fmt.Errorf("password file %s: %w: make one with 'framebridge passwd %s'", o.passwordFile, err, o.passwordFile)
	}
	var ps []rfb.Password
	for _, p := range full {
		ps = append(ps, rfb.Password{Secret: p, Grant: o.rights()})
	}
	for _, p := range view {
		ps = append(ps, rfb.Password{Secret: p, Grant: vnc.ViewRights})
	}
	return ps, nil
}

// command wires the flags' checks into a cobra command.
func (o *serveOptions) command(c *cobra.Command, own bool, run func(cmd *cobra.Command, args []string, log *slog.Logger) error) *cobra.Command {
	o.register(c.Flags(), own)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if err := applyEnv(cmd.Flags()); err != nil {
			return err
		}
		if err := o.check(); err != nil {
			return err
		}
		log, err := o.logger(cmd.ErrOrStderr())
		if err != nil {
			return err
		}
		slog.SetDefault(log)
		return run(cmd, args, log)
	}
	return c
}
