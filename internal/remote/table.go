package remote

import (
	"os"
	"strconv"
	"strings"
)

// kind is what can be done with a name.
type kind uint8

const (
	action kind = iota // done, and not asked for
	toggle             // 0 or 1; a name with "no" in front is its opposite
	text               // set to a value
	fixed              // asked for only
)

type variable struct {
	kind  kind
	value string // before anybody sets it
}

// variables are the names of x11vnc's remote control that have a meaning here,
// with the values that x11vnc has for them by default. The others (of caches,
// wireframes, macOS and the like) are answered as unknown.
var variables = func() map[string]variable {
	m := map[string]variable{}
	add := func(k kind, list string) {
		for item := range strings.FieldsSeq(list) {
			name, value, _ := strings.Cut(item, "=")
			m[name] = variable{k, value}
		}
	}
	add(action, `stop blacken refresh reset disconnect connect client_input id_cmd sendbell noop clear_locks
		keycode keysym ptr fakebuttonevent sleep keystate resend_cutbuffer resend_clipboard resend_primary`)
	add(toggle, `viewonly=0 shared=0 forever=0 deny=0 fb=1 repeat=0 shm=1 xdamage=1 xfixes=1 bell=1 sel=1 primary=1
		setprimary=1 clipboard=1 setclipboard=1 cursorshape=1 cursorpos=1 cursor_drag=0 show_cursor=1 dragging=1
		localhost=0 lookup=1 quiet=0 modtweak=1 xkb=0 capslock=0 skip_lockkeys=0 skip_dups=0 sloppy_keys=0
		add_keysyms=1 clear_mods=0 clear_keys=0 clear_all=0 always_inject=0 grabkbd=0 grabptr=0 grabalways=0 xrandr=0
		waitmapped=0 alwaysshared=0 nevershared=1 dontdisconnect=1 http=0 avahi=0 debug_pointer=0 debug_keyboard=0
		dpms=1 clientdpms=0 forcedpms=0 nap=1 solid=0 xinerama=1 remote=1 ipv4=1 ipv6=1 6=1`)
	add(text, `accept= afteraccept= gone= allow= allowonce= blackout= buttonmap= clip= cursor= desktop= id=0x0 sid=0x0
		input= listen= proxy= rawfb= remap= rotate= scale= scale_cursor= seldir= skip_keycodes= solid_color=
		rfbversion=3.8 xrandr_mode= wait=20 defer=20 readtimeout=20 rfbport=5900 sb=60 slow_fb=0.00 timeout=0
		wait_ui=2.00 httpport=0 httpdir=`)
	add(fixed, `clients= client_count=0 pid= display= vncdisplay= desktopname= auth= users= rootshift=0 clipshift=0
		scale_str= scaled_x=0 scaled_y=0 scale_numer=0 scale_denom=0 scale_fac_x=1.000000 scale_fac_y=1.000000
		scaling_blend=1 scaling_nomult4=0 scaling_pad=0 scaling_interpolate=0 inetd=0 privremote=0 unsafe=0 safer=0
		nocmds=0 passwdfile= unixpw=0 ssl=0 sslverify= usepw=0 using_shm=0 logfile= flag= rmflag= rc= norc=0 version=
		bg=0 loop=0 threads=0 ext_xtest=0 ext_xkb=0 ext_xshm=0 ext_xfixes=0 ext_xdamage=0 ext_xrandr=0 rootwin=0x0
		num_buttons=-1 button_mask=0 mouse_x=0 mouse_y=0 pointer_pos=-1,-1 pointer_x=-1 pointer_y=-1 pointer_same=1
		pointer_root=0x0 pointer_mask=0x0 bpp=0 depth=0 indexed_color=0 dpy_x=0 dpy_y=0 wdpy_x=0 wdpy_y=0 off_x=0
		off_y=0 cdpy_x=0 cdpy_y=0 coff_x=0 coff_y=0 rfbauth=N/A passwd=N/A viewpasswd=N/A http_url= autoport=0`)
	return m
}()

// synonyms are other names for the same.
var synonyms = map[string]string{
	"quit": "stop", "exit": "stop", "shutdown": "stop", "zero": "blacken", "close": "disconnect",
	"lock": "deny", "unlock": "nodeny", "once": "noforever", "deferupdate": "defer", "screen_blank": "sb", "q": "quiet",
	"dp": "debug_pointer", "nodp": "nodebug_pointer", "dk": "debug_keyboard", "nodk": "nodebug_keyboard",
	"mdns": "avahi", "nomdns": "noavahi", "zeroconf": "avahi", "nozeroconf": "noavahi",
	"xauth": "auth", "o": "logfile", "V": "version", "h": "version", "help": "version", "lastmod": "version",
	"nocursor": "noshow_cursor",
}

// resolve returns what a name stands for. no says that it is the opposite of a
// toggle.
func resolve(name string) (canonical string, v variable, no, ok bool) {
	if s, found := synonyms[name]; found {
		name = s
	}
	if v, ok = variables[name]; ok {
		return name, v, false, true
	}
	if opposite, found := strings.CutPrefix(name, "no"); found {
		if v, ok = variables[opposite]; ok && v.kind == toggle {
			return opposite, v, true, true
		}
	}
	return name, v, false, false
}

// value returns a variable's value without a server: what it is before anybody
// sets it.
func (v variable) unset(name string) string {
	switch name {
	case "pid":
		return strconv.Itoa(os.Getpid())
	}
	return v.value
}

// reply returns the answer to one name of a question. get returns the values
// that it knows of.
func reply(asked, display string, get func(name string) (string, bool)) string {
	if asked == "ping" || strings.HasPrefix(asked, "ping:") {
		return answer + asked + ":" + display
	}
	name, v, no, ok := resolve(asked)
	if !ok || v.kind == action {
		colon := ":"
		if strings.Contains(asked, ":") {
			colon = "" // as x11vnc does it
		}
		return answer + asked + colon + "N/A"
	}
	value, known := get(name)
	if !known {
		value = v.unset(name)
	}
	mark := answer
	switch v.kind {
	case fixed:
		mark = readOnly
	case toggle:
		if (value == "1") == no {
			value = "0"
		} else {
			value = "1"
		}
	}
	return mark + asked + ":" + value
}

// replyAll returns the answer to a question.
func replyAll(asked, display string, get func(name string) (string, bool)) string {
	var b strings.Builder
	for i, name := range splitNames(strings.ReplaceAll(asked, "=", ":")) {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(reply(name, display, get))
		if b.Len() > maxValue {
			break // the question was longer than all there is
		}
	}
	s := b.String()
	return s[:min(len(s), maxValue)]
}

// Defaults answers a question without a server (-QD).
func Defaults(asked string) string {
	return replyAll(asked, "unknown", func(string) (string, bool) { return "", false })
}
