package main

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/BurntSushi/xgb"
	"github.com/BurntSushi/xgb/xproto"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"framebridge/input"
	"framebridge/internal/x11"
	"framebridge/rfb"
	"framebridge/rfb/rfbtest"
)

// Who comes in as x11vnc has it, and what viewers can do.

// TestX11vncSharing is the matrix of who stays.
func TestX11vncSharing(t *testing.T) {
	t.Parallel()
	x := xServer(t)
	for args, want := range map[string][2]string{
		"-forever":                                {"closed after ServerInit", "stays"},
		"-forever -noshared":                      {"closed after ServerInit", "stays"},
		"-forever -dontdisconnect":                {"closed after ServerInit", "stays"},
		"-forever -nevershared -dontdisconnect":   {"closed after ServerInit", "stays"},
		"-forever -shared":                        {"in", "stays"},
		"-forever -alwaysshared":                  {"in", "stays"},
		"-forever -nevershared":                   {"in", "gone"},
		"-forever -nevershared -shared":           {"in", "stays"},
		"-once":                                   {"closed", "stays"},
		"-once -shared":                           {"in", "stays"},
		"-forever -shared -noshared -nevershared": {"in", "gone"},
	} {
		s := startX11vnc(t, x, append([]string{"-nopw"}, strings.Fields(args)...)...)
		first, how := s.come("")
		require.Equal(t, "in", how, args)
		second, how := s.come("")
		if how == "in" && !alive(second) {
			how = "closed after ServerInit"
		}
		then := "stays"
		if !alive(first) {
			then = "gone"
		}
		assert.Equal(t, want, [2]string{how, then}, args)
		s.signal(syscall.SIGINT)
		assert.Equal(t, 0, s.wait(timeout))
	}
}

// TestX11vncReconnect: who comes back at once is not refused for the sake of the
// connection before.
func TestX11vncReconnect(t *testing.T) {
	t.Parallel()
	s := startX11vnc(t, xServer(t), "-nopw", "-forever")
	for range 50 {
		c, how := s.come("")
		require.Equal(t, "in", how)
		require.True(t, alive(c))
		c.Close()
	}
}

// TestX11vncPasswords: all the places that they come from.
func TestX11vncPasswords(t *testing.T) {
	t.Parallel()
	x := xServer(t)
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o700))
		return path
	}
	secret, err := rfb.ObscurePassword([]byte("sesame"))
	require.NoError(t, err)
	list := file("list", "# mine\nsesame\n__BEGIN_VIEWONLY__\nlook\n")
	once := file("once", "sesame\n")
	live := file("live", "before\n")
	auth := file("auth", string(secret))
	custom := file("custom", `#!/bin/sh
read n; test "$n" = 16 -a "$(wc -c)" = 32 -a "$RFB_CLIENT_IP" = 127.0.0.1`)
	for _, tt := range []struct {
		args  []string
		right []string
		wrong []string
	}{
		{[]string{"-passwd", "sesame", "-viewpasswd", "look"}, []string{"sesame", "look"}, []string{"x"}},
		{[]string{"-rfbauth", auth}, []string{"sesame"}, []string{"x"}},
		{[]string{"-passwdfile", list}, []string{"sesame", "look"}, []string{"# mine", "__BEGIN_VIEWONLY__"}},
		{[]string{"-passwdfile", "rm:" + once}, []string{"sesame"}, []string{"x"}},
		{[]string{"-passwdfile", "read:" + live}, []string{"before"}, []string{"after"}},
		{[]string{"-passwdfile", "cmd:echo sesame"}, []string{"sesame"}, []string{"x"}},
		{[]string{"-passwdfile", "custom:" + custom}, []string{"whatever"}, nil},
		{[]string{"-passwdfile", "custom:false"}, nil, []string{"whatever"}},
		{[]string{"-passwd", "12345678tail"}, []string{"12345678", "12345678xyz"}, []string{"1234567"}},
	} {
		s := startX11vnc(t, x, append([]string{"-forever", "-shared"}, tt.args...)...)
		for _, p := range tt.right {
			_, how := s.come(p)
			assert.Equal(t, "in", how, "%v %s", tt.args, p)
		}
		for _, p := range tt.wrong {
			_, how := s.come(p)
			assert.Equal(t, "wrong password", how, "%v %s", tt.args, p)
		}
		if strings.HasSuffix(tt.args[1], "read:"+live) {
			file("live", "after\n")
			_, how := s.come("after")
			assert.Equal(t, "in", how)
			require.NoError(t, os.Remove(live))
			_, how = s.come("after")
			assert.Equal(t, "wrong password", how, "nobody gets in")
		}
		assert.NotContains(t, s.stderr.String(), "WARNING")
		s.signal(syscall.SIGTERM)
		s.wait(timeout)
	}
	assert.NoFileExists(t, once)
}

// TestX11vncProbes: who looks whether the port is open runs no commands.
func TestX11vncProbes(t *testing.T) {
	t.Parallel()
	ran := filepath.Join(t.TempDir(), "ran")
	say := "echo x >> " + ran
	s := startX11vnc(t, xServer(t), "-forever", "-passwdfile", "cmd:"+say+"; echo sesame", "-accept", say, "-gone", say)
	for range 5 {
		c := s.dial()
		readBanner(t, c)
		c.Close()
	}
	_, how := s.come("sesame")
	require.Equal(t, "in", how)
	b, err := os.ReadFile(ran)
	require.NoError(t, err)
	assert.Equal(t, "x\nx\n", string(b))
}

// TestX11vncStorePassword: in all its forms, with the files that others write.
func TestX11vncStorePassword(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	run := func(stdin string, args ...string) *process {
		cmd := command(t, []string{"HOME=" + dir}, binary, append([]string{"x11vnc"}, args...)...)
		cmd.Stdin = strings.NewReader(stdin)
		p := start(t, cmd)
		p.wait(timeout)
		return p
	}
	for password, want := range map[string]string{"abc": "9c0a172d3482e122", "password1234": "dbd83cfd727a1458"} {
		file := filepath.Join(dir, "pw")
		p := run("", "-storepasswd", password, file)
		require.Equal(t, 0, p.wait(timeout))
		assert.Contains(t, p.stderr.String(), "stored passwd in file: "+file)
		assert.Empty(t, p.stdout.String())
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Equal(t, want, hex.EncodeToString(b))
		st, err := os.Stat(file)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), st.Mode().Perm())
		p = run("", "-showrfbauth", file)
		assert.Equal(t, 0, p.wait(timeout))
		assert.Contains(t, p.stdout.String(), "pass: "+password[:min(8, len(password))]+"\n")
	}
	p := run("abc\nabc\n", "-storepasswd")
	assert.Equal(t, 0, p.wait(timeout))
	assert.Contains(t, p.stdout.String(), "Password written to: "+filepath.Join(dir, ".vnc", "passwd"))
	p = run("abc\nabc\n", "-storepasswd", filepath.Join(dir, "new", "file"))
	assert.Equal(t, 0, p.wait(timeout))
	for _, bad := range [][]string{{"a", "b", "c"}, {"a", filepath.Join(dir, "no", "where")}, {"", filepath.Join(dir, "x")}, {dir}} {
		p := run("", append([]string{"-storepasswd"}, bad...)...)
		assert.Equal(t, 1, p.wait(timeout), bad)
		assert.NotEmpty(t, p.stderr.String(), bad)
	}
}

// TestX11vncHooks: commands for viewers, with what is known of them in the
// environment, and nobody waits for another's command.
func TestX11vncHooks(t *testing.T) {
	t.Parallel()
	x := xServer(t)
	dir := t.TempDir()
	gate := filepath.Join(dir, "gate")
	require.NoError(t, syscall.Mkfifo(gate, 0o600))
	say := func(name string) string {
		return fmt.Sprintf(`echo "$RFB_MODE $RFB_CLIENT_IP $RFB_CLIENT_COUNT $RFB_SERVER_PORT $RFB_LOGIN_VIEWONLY" > %[1]s/%[2]s.new; mv %[1]s/%[2]s.new %[1]s/%[2]s`, dir, name)
	}
	s := startX11vnc(t, x, "-nopw", "-forever", "-shared", "-afteraccept", say("after"), "-gone", say("gone"),
		"-accept", `yes:0,view:3,no:* if mkdir `+dir+`/first; then exit 0; elif mkdir `+dir+`/second; then read x < `+gate+`; exit 3; fi; exit 1`)
	a, how := s.come("")
	require.Equal(t, "in", how)
	slow := make(chan string, 1)
	go func() {
		c, err := rfbtest.Dial(t.Context(), s.addr, rfbtest.Options{})
		if err == nil {
			t.Cleanup(func() { c.Close() })
		}
		slow <- refusal(err)
	}()
	poll(t, "second command", func() (bool, string) {
		_, err := os.Stat(filepath.Join(dir, "second"))
		return err == nil, "not run"
	})
	assert.True(t, alive(a), "the first viewer does not wait")
	_, how = s.come("")
	assert.Equal(t, "closed", how)
	require.NoError(t, os.WriteFile(gate, []byte("go\n"), 0o600))
	assert.Equal(t, "in", <-slow)
	read := func(name string) string {
		var b []byte
		poll(t, name, func() (bool, string) {
			var err error
			b, err = os.ReadFile(filepath.Join(dir, name))
			return err == nil, "not run"
		})
		return string(b)
	}
	poll(t, "both", func() (bool, string) {
		text := read("after")
		return text == "afteraccept 127.0.0.1 2 "+s.port+" 1\n", text
	})
	a.Close()
	assert.Equal(t, "gone 127.0.0.1 1 "+s.port+" 0\n", read("gone"))
}

// TestX11vncAllow: only these hosts.
func TestX11vncAllow(t *testing.T) {
	t.Parallel()
	x := xServer(t)
	file := filepath.Join(t.TempDir(), "hosts")
	require.NoError(t, os.WriteFile(file, []byte("# nobody\n"), 0o600))
	for allow, want := range map[string]string{
		"127.0.0.1": "in", "127.": "in", "127.0": "in", "192.0.2.1,localhost": "in", "10.": "closed", "12": "closed", "127.0.0.11": "closed", file: "closed",
	} {
		s := startX11vnc(t, x, "-nopw", "-forever", "-allow", allow)
		_, how := s.come("")
		assert.Equal(t, want, how, allow)
		if allow == file {
			require.NoError(t, os.WriteFile(file, []byte("127.0.0.1 # me\n"), 0o600))
			_, how := s.come("")
			assert.Equal(t, "in", how, "the file is read anew")
		}
		s.signal(syscall.SIGTERM)
		s.wait(timeout)
	}
}

// TestX11vncInput: what -viewonly and -input leave.
func TestX11vncInput(t *testing.T) {
	t.Parallel()
	d := newDesktop(t, 200, 100)
	pointer := func() xproto.QueryPointerReply {
		r, err := xproto.QueryPointer(d.Conn.X(), d.Conn.Root()).Reply()
		require.NoError(t, err)
		return *r
	}
	for args, want := range map[string]string{
		"-nopw":                       "MB",
		"-nopw -viewonly":             "",
		"-nopw -input M":              "M",
		"-nopw -input B":              "B",
		"-nopw -viewonly -input K,MB": "",
		"-passwd other -viewpasswd pw -input K,MB": "MB",
		"-passwd pw -viewpasswd other -input M,MB": "M",
		"-nopw -buttonmap 1-3":                     "M3",
	} {
		s := startX11vnc(t, d.x, append(strings.Fields(args), "-forever", "-repeat")...)
		c, how := s.come("pw")
		require.Equal(t, "in", how)
		d.pointer(10, 10)
		require.NoError(t, c.Pointer(50, 60, 1))
		require.True(t, alive(c)) // what comes after is answered after
		poll(t, args, func() (bool, string) {
			got, p := "", pointer()
			if p.RootX == 50 && p.RootY == 60 {
				got += "M"
			}
			switch mask := p.Mask >> 8 & 0x1f; mask {
			case 1:
				got += "B"
			case 4:
				got += "3"
			}
			return got == want, got
		})
		s.signal(syscall.SIGTERM)
		s.wait(timeout)
	}
}

// TestX11vncRepeat: X's auto-repeat is off while viewers are there, and with
// -repeat nobody touches it.
func TestX11vncRepeat(t *testing.T) {
	t.Parallel()
	x := xServer(t)
	conn, err := x11.Dial(t.Context(), x11.Options{Display: x.Display(), AuthFile: x.AuthFile()})
	require.NoError(t, err)
	defer conn.Close()
	state := func(want byte) {
		t.Helper()
		poll(t, "auto-repeat", func() (bool, string) {
			r, err := xproto.GetKeyboardControl(conn.X()).Reply()
			require.NoError(t, err)
			return r.GlobalAutoRepeat == want, fmt.Sprint(r.GlobalAutoRepeat)
		})
	}
	s := startX11vnc(t, x, "-nopw", "-forever")
	state(1)
	c, _ := s.come("")
	state(0)
	c.Close()
	state(1)
	_, _ = s.come("")
	state(0)
	s.signal(syscall.SIGTERM)
	s.wait(timeout)
	state(1)
	s = startX11vnc(t, x, "-nopw", "-forever", "-repeat")
	c, _ = s.come("")
	require.True(t, alive(c))
	state(1)
}

// TestX11vncRemap: keys mean others, and buttons press keys.
func TestX11vncRemap(t *testing.T) {
	t.Parallel()
	d := newDesktop(t, 200, 100)
	s := startX11vnc(t, d.x, "-nopw", "-forever", "-remap", "Caps_Lock-Escape,a-b,z-NoSymbol,y-Button3,DEAD=g", "-buttonmap", "13-1:Shift_L+F5+F6+F6:")
	keys := watchKeys(t, d)
	c, how := s.come("")
	require.Equal(t, "in", how)
	for _, k := range []uint32{0xffe5, 'a', 'c'} {
		require.NoError(t, c.Key(k, true))
		require.NoError(t, c.Key(k, false))
	}
	require.NoError(t, c.Pointer(20, 20, 4))
	require.NoError(t, c.Key('z', true))
	require.NoError(t, c.Key('x', true))
	for _, want := range []uint32{0xff1b, 'b', 'c', input.KeysymShiftL, 0xffc2, 0xffc3, 0xffc3, 'x'} {
		select {
		case got := <-keys:
			assert.Equal(t, want, got)
		case <-time.After(timeout):
			t.Fatal("a key is missing")
		}
	}
}

// watchKeys returns the first keysyms of the keys that are pressed.
func watchKeys(t *testing.T, d *desktop) <-chan uint32 {
	t.Helper()
	x := d.Conn.X()
	m, err := xproto.GetKeyboardMapping(x, d.Conn.Setup().MinKeycode, byte(d.Conn.Setup().MaxKeycode-d.Conn.Setup().MinKeycode+1)).Reply()
	require.NoError(t, err)
	w, err := xproto.NewWindowId(x)
	require.NoError(t, err)
	require.NoError(t, xproto.CreateWindowChecked(x, 0, w, d.Conn.Root(), 0, 0, 200, 100, 0, xproto.WindowClassInputOutput, 0,
		xproto.CwOverrideRedirect|xproto.CwEventMask, []uint32{1, xproto.EventMaskKeyPress}).Check())
	require.NoError(t, xproto.MapWindowChecked(x, w).Check())
	require.NoError(t, xproto.SetInputFocusChecked(x, xproto.InputFocusParent, w, 0).Check())
	keys := make(chan uint32, 100)
	d.Conn.Handle(func(ev xgb.Event) {
		if e, ok := ev.(xproto.KeyPressEvent); ok {
			keys <- uint32(m.Keysyms[int(e.Detail-d.Conn.Setup().MinKeycode)*int(m.KeysymsPerKeycode)])
		}
	})
	return keys
}

// TestX11vncUsers: root becomes somebody else.
func TestX11vncUsers(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("for root only")
	}
	x := xServer(t)
	cookie, err := os.ReadFile(x.AuthFile())
	require.NoError(t, err)
	// Where everybody can read it.
	f, err := os.CreateTemp("/tmp", "framebridge-auth-")
	require.NoError(t, err)
	t.Cleanup(func() { os.Remove(f.Name()) })
	_, err = f.Write(cookie)
	require.NoError(t, err)
	require.NoError(t, f.Chmod(0o644))
	require.NoError(t, f.Close())
	for _, users := range []string{"+nobody", "nobody"} {
		s := startX11vnc(t, x, "-nopw", "-forever", "-auth", f.Name(), "-users", users)
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.pid()))
		require.NoError(t, err)
		assert.Regexp(t, `(?m)^Uid:\s+65534\s+65534\s+65534\s+65534$`, string(b))
		c, how := s.come("")
		require.Equal(t, "in", how)
		assert.True(t, alive(c))
	}
	p := start(t, x11vncCommand(t, x, "-nopw", "-users", "no-such-user"))
	assert.Equal(t, 1, p.wait(timeout))
	assert.Contains(t, p.stderr.String(), "no-such-user")
}

// TestX11vncClipboard: the clipboard goes the ways that are open.
func TestX11vncClipboard(t *testing.T) {
	t.Parallel()
	xclip := peer(t, "xclip")
	for args, want := range map[string][2]bool{ // to the viewer, from the viewer
		"":                              {true, true},
		"-nosel":                        {false, false},
		"-seldir send":                  {true, false},
		"-seldir recv":                  {false, true},
		"-noprimary -noclipboard":       {false, true},
		"-nosetprimary -nosetclipboard": {true, false},
		"-viewonly":                     {true, false},
	} {
		x := xServer(t)
		own := command(t, x.Env(), xclip, "-i", "-selection", "clipboard", "-quiet")
		own.Stdin = strings.NewReader("copied")
		start(t, own)
		paste := func() string {
			out, err := command(t, x.Env(), xclip, "-o", "-selection", "clipboard").Output()
			if err != nil {
				return err.Error()
			}
			return string(out)
		}
		poll(t, "xclip", func() (bool, string) { p := paste(); return p == "copied", p })
		s := startX11vnc(t, x, append(strings.Fields(args), "-nopw", "-forever")...)
		c, how := s.come("")
		require.Equal(t, "in", how)
		if want[0] {
			require.NoError(t, c.SetDeadline(time.Now().Add(timeout)))
			for {
				m, err := c.ReadMessage()
				require.NoError(t, err, args)
				if cut, ok := m.(rfbtest.CutText); ok {
					assert.Equal(t, "copied", string(cut.Data), args)
					break
				}
			}
		}
		require.NoError(t, c.CutText([]byte("cut")))
		require.True(t, alive(c), args)
		if want[1] {
			poll(t, "paste "+args, func() (bool, string) { p := paste(); return p == "cut", p })
		} else {
			assert.Equal(t, "copied", paste(), args)
		}
		s.signal(syscall.SIGTERM)
		s.wait(timeout)
	}
}
