package input

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// KeysymByName returns the keysym of a name: a character by itself, a number
// ("0xff1b"), a character's code ("U20AC"), or a name of keysymdef.h without its
// XK_. The names are those of ASCII's characters and of the keys that keyboards
// have.
func KeysymByName(name string) (keysym uint32, ok bool) {
	if r, n := utf8.DecodeRuneInString(name); n > 0 && n == len(name) && r != utf8.RuneError {
		k := Keysym(r)
		return k, k != 0
	}
	if hex, found := strings.CutPrefix(strings.ToLower(name), "0x"); found {
		n, err := strconv.ParseUint(hex, 16, 29)
		return uint32(n), err == nil && n != 0
	}
	if k, found := keysymNames[name]; found {
		return k, true
	}
	if n, found := functionKey(name, "F"); found && n <= 35 {
		return 0xffbe + n - 1, true
	}
	if n, found := functionKey(name, "KP_"); found && n <= 9 || name == "KP_0" {
		return KeysymKP0 + n, true
	}
	if len(name) >= 5 && name[0] == 'U' {
		if n, err := strconv.ParseUint(name[1:], 16, 32); err == nil {
			k := Keysym(rune(n))
			return k, k != 0
		}
	}
	return 0, false
}

// functionKey returns the number behind prefix.
func functionKey(name, prefix string) (uint32, bool) {
	rest, ok := strings.CutPrefix(name, prefix)
	n, err := strconv.ParseUint(rest, 10, 8)
	return uint32(n), ok && err == nil && n > 0
}

// keysymNames are names of keysymdef.h.
var keysymNames = map[string]uint32{
	"space": ' ', "exclam": '!', "quotedbl": '"', "numbersign": '#', "dollar": '$', "percent": '%', "ampersand": '&',
	"apostrophe": '\'', "quoteright": '\'', "parenleft": '(', "parenright": ')', "asterisk": '*', "plus": '+',
	"comma": ',', "minus": '-', "period": '.', "slash": '/', "colon": ':', "semicolon": ';', "less": '<', "equal": '=',
	"greater": '>', "question": '?', "at": '@', "bracketleft": '[', "backslash": '\\', "bracketright": ']',
	"asciicircum": '^', "underscore": '_', "grave": '`', "quoteleft": '`', "braceleft": '{', "bar": '|',
	"braceright": '}', "asciitilde": '~', "EuroSign": 0x20ac,

	"BackSpace": 0xff08, "Tab": 0xff09, "Linefeed": 0xff0a, "Clear": 0xff0b, "Return": 0xff0d, "Pause": 0xff13,
	"Scroll_Lock": 0xff14, "Sys_Req": 0xff15, "Escape": 0xff1b, "Multi_key": 0xff20, "Home": 0xff50, "Left": 0xff51,
	"Up": 0xff52, "Right": 0xff53, "Down": 0xff54, "Prior": 0xff55, "Page_Up": 0xff55, "Next": 0xff56,
	"Page_Down": 0xff56, "End": 0xff57, "Begin": 0xff58, "Select": 0xff60, "Print": 0xff61, "Execute": 0xff62,
	"Insert": 0xff63, "Undo": 0xff65, "Redo": 0xff66, "Menu": 0xff67, "Find": 0xff68, "Cancel": 0xff69, "Help": 0xff6a,
	"Break": 0xff6b, "Mode_switch": 0xff7e, "Num_Lock": 0xff7f, "KP_Space": 0xff80, "KP_Tab": 0xff89, "KP_Enter": 0xff8d,
	"KP_Home": 0xff95, "KP_Left": 0xff96, "KP_Up": 0xff97, "KP_Right": 0xff98, "KP_Down": 0xff99, "KP_Prior": 0xff9a,
	"KP_Page_Up": 0xff9a, "KP_Next": 0xff9b, "KP_Page_Down": 0xff9b, "KP_End": 0xff9c, "KP_Begin": 0xff9d,
	"KP_Insert": 0xff9e, "KP_Delete": 0xff9f, "KP_Multiply": 0xffaa, "KP_Add": 0xffab, "KP_Separator": 0xffac,
	"KP_Subtract": 0xffad, "KP_Decimal": 0xffae, "KP_Divide": 0xffaf, "KP_Equal": 0xffbd, "Shift_L": 0xffe1,
	"Shift_R": 0xffe2, "Control_L": 0xffe3, "Control_R": 0xffe4, "Caps_Lock": 0xffe5, "Shift_Lock": 0xffe6,
	"Meta_L": 0xffe7, "Meta_R": 0xffe8, "Alt_L": 0xffe9, "Alt_R": 0xffea, "Super_L": 0xffeb, "Super_R": 0xffec,
	"Hyper_L": 0xffed, "Hyper_R": 0xffee, "Delete": 0xffff, "ISO_Level3_Shift": 0xfe03, "ISO_Left_Tab": 0xfe20,
	"breve": 0x1a2, "caron": 0x1b7, "doubleacute": 0x1bd, "abovedot": 0x1ff,
	"dead_grave": 0xfe50, "dead_acute": 0xfe51, "dead_circumflex": 0xfe52, "dead_tilde": 0xfe53, "dead_diaeresis": 0xfe57,
	"dead_macron": 0xfe54, "dead_breve": 0xfe55, "dead_abovedot": 0xfe56, "dead_abovering": 0xfe58,
	"dead_doubleacute": 0xfe59, "dead_caron": 0xfe5a, "dead_cedilla": 0xfe5b,
}

// latin1Names are keysymdef.h's names of 0xa0 to 0xff.
const latin1Names = `nobreakspace exclamdown cent sterling currency yen brokenbar section diaeresis copyright ordfeminine guillemotleft notsign hyphen registered macron
	degree plusminus twosuperior threesuperior acute mu paragraph periodcentered cedilla onesuperior masculine guillemotright onequarter onehalf threequarters questiondown
	Agrave Aacute Acircumflex Atilde Adiaeresis Aring AE Ccedilla Egrave Eacute Ecircumflex Ediaeresis Igrave Iacute Icircumflex Idiaeresis
	ETH Ntilde Ograve Oacute Ocircumflex Otilde Odiaeresis multiply Oslash Ugrave Uacute Ucircumflex Udiaeresis Yacute THORN ssharp
	agrave aacute acircumflex atilde adiaeresis aring ae ccedilla egrave eacute ecircumflex ediaeresis igrave iacute icircumflex idiaeresis
	eth ntilde ograve oacute ocircumflex otilde odiaeresis division oslash ugrave uacute ucircumflex udiaeresis yacute thorn ydiaeresis`

func init() {
	k := uint32(0xa0)
	for name := range strings.FieldsSeq(latin1Names) {
		keysymNames[name] = k
		k++
	}
}
