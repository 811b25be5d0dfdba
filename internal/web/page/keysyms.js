// Tables from the browser's names of keys to X's: pure data and functions.
//
// KeyboardEvent.key says what a key means and becomes a keysym (X protocol,
// appendix A); KeyboardEvent.code says where it is and becomes an XT scancode
// (set 1; 0x80 in place of the prefix 0xe0), as in QEMU's extended key event.

export const XK = {
  BackSpace: 0xff08, Tab: 0xff09, Return: 0xff0d, Escape: 0xff1b, Delete: 0xffff,
  Home: 0xff50, Left: 0xff51, Up: 0xff52, Right: 0xff53, Down: 0xff54,
  PageUp: 0xff55, PageDown: 0xff56, End: 0xff57, Insert: 0xff63, Menu: 0xff67, Print: 0xff61,
  F1: 0xffbe, ShiftL: 0xffe1, ShiftR: 0xffe2, ControlL: 0xffe3, ControlR: 0xffe4,
  CapsLock: 0xffe5, AltL: 0xffe9, AltR: 0xffea, SuperL: 0xffeb, SuperR: 0xffec,
  NumLock: 0xff7f, Level3Shift: 0xfe03,
};

// [anywhere, left or none, right, keypad], by KeyboardEvent.location; a missing
// one is the first.
const named = {
  Backspace: [0xff08], Tab: [0xff09], Enter: [0xff0d, , , 0xff8d], Escape: [0xff1b],
  Delete: [0xffff, , , 0xff9f], Clear: [0xff0b, , , 0xff9d], Pause: [0xff13], ScrollLock: [0xff14],
  Home: [0xff50, , , 0xff95], ArrowLeft: [0xff51, , , 0xff96], ArrowUp: [0xff52, , , 0xff97],
  ArrowRight: [0xff53, , , 0xff98], ArrowDown: [0xff54, , , 0xff99],
  PageUp: [0xff55, , , 0xff9a], PageDown: [0xff56, , , 0xff9b], End: [0xff57, , , 0xff9c],
  Insert: [0xff63, , , 0xff9e], Select: [0xff60], PrintScreen: [0xff61], Execute: [0xff62], Undo: [0xff65],
  Redo: [0xff66], ContextMenu: [0xff67], Find: [0xff68], Cancel: [0xff69], Help: [0xff6a],
  NumLock: [0xff7f], CapsLock: [0xffe5],
  Shift: [0xffe1, 0xffe1, 0xffe2], Control: [0xffe3, 0xffe3, 0xffe4], Alt: [0xffe9, 0xffe9, 0xffea],
  Meta: [0xffeb, 0xffeb, 0xffec], Super: [0xffeb, 0xffeb, 0xffec], OS: [0xffeb, 0xffeb, 0xffec],
  Hyper: [0xffed, 0xffed, 0xffee], AltGraph: [0xfe03],
  // International keys.
  KanjiMode: [0xff21], NonConvert: [0xff22], Convert: [0xff23], Romaji: [0xff24], Hiragana: [0xff25],
  Katakana: [0xff26], HiraganaKatakana: [0xff27], Zenkaku: [0xff28], Hankaku: [0xff29], ZenkakuHankaku: [0xff2a],
  KanaMode: [0xff2e], Eisu: [0xff2f], Alphanumeric: [0xff30], HangulMode: [0xff31], HanjaMode: [0xff34],
  CodeInput: [0xff37], SingleCandidate: [0xff3c], AllCandidates: [0xff3d], PreviousCandidate: [0xff3e], Compose: [0xff20],
  // XF86 keysyms of multimedia keyboards.
  AudioVolumeDown: [0x1008ff11], AudioVolumeMute: [0x1008ff12], AudioVolumeUp: [0x1008ff13],
  MediaPlayPause: [0x1008ff14], MediaPlay: [0x1008ff14], MediaStop: [0x1008ff15], MediaTrackPrevious: [0x1008ff16], MediaTrackNext: [0x1008ff17],
  BrowserHome: [0x1008ff18], LaunchMail: [0x1008ff19], BrowserSearch: [0x1008ff1b], BrowserBack: [0x1008ff26],
  BrowserForward: [0x1008ff27], BrowserStop: [0x1008ff28], BrowserRefresh: [0x1008ff29], BrowserFavorites: [0x1008ff30],
  BrightnessUp: [0x1008ff02], BrightnessDown: [0x1008ff03], Eject: [0x1008ff2c], Power: [0x1008ff2a], Standby: [0x1008ff10],
  LaunchApplication1: [0x1008ff33], LaunchApplication2: [0x1008ff1d], Copy: [0x1008ff57], Cut: [0x1008ff58], Paste: [0x1008ff6d],
};

// What the keypad's keys write has keysyms of its own.
const keypad = { '*': 0xffaa, '+': 0xffab, ',': 0xffac, '-': 0xffad, '.': 0xffae, '/': 0xffaf, '=': 0xffbd };

const scancodes = {
  Escape: 0x01, Minus: 0x0c, Equal: 0x0d, Backspace: 0x0e, Tab: 0x0f, BracketLeft: 0x1a, BracketRight: 0x1b,
  Enter: 0x1c, ControlLeft: 0x1d, Semicolon: 0x27, Quote: 0x28, Backquote: 0x29, ShiftLeft: 0x2a, Backslash: 0x2b,
  Comma: 0x33, Period: 0x34, Slash: 0x35, ShiftRight: 0x36, NumpadMultiply: 0x37, AltLeft: 0x38, Space: 0x39,
  CapsLock: 0x3a, NumLock: 0x45, ScrollLock: 0x46, Numpad7: 0x47, Numpad8: 0x48, Numpad9: 0x49, NumpadSubtract: 0x4a,
  Numpad4: 0x4b, Numpad5: 0x4c, Numpad6: 0x4d, NumpadAdd: 0x4e, Numpad1: 0x4f, Numpad2: 0x50, Numpad3: 0x51,
  Numpad0: 0x52, NumpadDecimal: 0x53, IntlBackslash: 0x56, F11: 0x57, F12: 0x58, NumpadEqual: 0x59,
  F13: 0x5d, F14: 0x5e, F15: 0x5f, KanaMode: 0x70, Lang2: 0x71, Lang1: 0x72, IntlRo: 0x73, Lang4: 0x77, Lang3: 0x78,
  Convert: 0x79, NonConvert: 0x7b, IntlYen: 0x7d, NumpadComma: 0x7e,
  MediaTrackPrevious: 0x90, MediaTrackNext: 0x99, NumpadEnter: 0x9c, ControlRight: 0x9d, AudioVolumeMute: 0xa0,
  LaunchApp2: 0xa1, MediaPlayPause: 0xa2, MediaStop: 0xa4, AudioVolumeDown: 0xae, AudioVolumeUp: 0xb0,
  BrowserHome: 0xb2, NumpadDivide: 0xb5, PrintScreen: 0xb7, AltRight: 0xb8, Pause: 0xc6, Home: 0xc7, ArrowUp: 0xc8,
  PageUp: 0xc9, ArrowLeft: 0xcb, ArrowRight: 0xcd, End: 0xcf, ArrowDown: 0xd0, PageDown: 0xd1, Insert: 0xd2,
  Delete: 0xd3, MetaLeft: 0xdb, MetaRight: 0xdc, OSLeft: 0xdb, OSRight: 0xdc, ContextMenu: 0xdd, Power: 0xde, Sleep: 0xdf,
  WakeUp: 0xe3, BrowserSearch: 0xe5, BrowserFavorites: 0xe6, BrowserRefresh: 0xe7, BrowserStop: 0xe8,
  BrowserForward: 0xe9, BrowserBack: 0xea, LaunchApp1: 0xeb, LaunchMail: 0xec, MediaSelect: 0xed,
};

// What the keys of the US layout write, without and with Shift.
const usLayout = {
  Space: '  ', Minus: '-_', Equal: '=+', BracketLeft: '[{', BracketRight: ']}', Semicolon: ';:', Quote: '\'"',
  Backquote: '`~', Backslash: '\\|', Comma: ',<', Period: '.>', Slash: '/?',
};

'1234567890'.split('').forEach((c, i) => {
  scancodes['Digit' + c] = 0x02 + i;
  usLayout['Digit' + c] = c + '!@#$%^&*()'[i];
});
[['qwertyuiop', 0x10], ['asdfghjkl', 0x1e], ['zxcvbnm', 0x2c]].forEach(([row, first]) => row.split('').forEach((c, i) => {
  const upper = c.toUpperCase();
  scancodes['Key' + upper] = first + i;
  usLayout['Key' + upper] = c + upper;
}));
for (let i = 1; i <= 10; i++) scancodes['F' + i] = 0x3a + i;
for (let i = 1; i <= 35; i++) named['F' + i] = [XK.F1 + i - 1];

/** The XT scancode of a KeyboardEvent.code, 0 where there is none. */
export const scancode = code => scancodes[code] ?? 0;

/** The keysym of a character; 0 for what is not one, or not printable. */
export function keysymOfChar(c) {
  const n = c.codePointAt(0);
  if (n === undefined || String.fromCodePoint(n) !== c) return 0;
  if (n === 0x0a || n === 0x0d) return XK.Return;
  if (n === 0x09) return XK.Tab;
  if (n === 0x08) return XK.BackSpace;
  if (n === 0x1b) return XK.Escape;
  if (n < 0x20 || (n >= 0x7f && n < 0xa0) || (n >= 0xd800 && n < 0xe000)) return 0;
  return n <= 0xff ? n : 0x01000000 + n;
}

/** Whether KeyboardEvent.key is a character and not the name of a key. */
export const isChar = key => key.length > 0 && String.fromCodePoint(key.codePointAt(0)) === key;

/**
 * What to send for a KeyboardEvent.
 *
 * A scancode goes before the keysym at the server: the desktop's own keyboard
 * layout then says what the key writes. How is
 *   'position'    always send the scancode: both keyboards work as if they were one;
 *   'character'   never for keys that write: the desktop gets the characters that
 *                 the keyboard here writes, whatever its layout;
 *   'auto'        send it where the key writes here what it writes on the US
 *                 layout, which displays have that nobody set up: games and
 *                 shortcuts get keys and not characters, and characters of other
 *                 layouts are right all the same.
 * With Ctrl, Alt or Meta, a key that writes no Latin letter is sent by position
 * in any case: Ctrl+C has to copy on a Cyrillic keyboard, too.
 *
 * @param {KeyboardEvent} e
 * @param {{how?: string, mac?: boolean, lock?: boolean}} options lock: Caps Lock or Num Lock may
 *   be on at one side and off at the other, so letters and the keypad go by keysym.
 * @returns {{keysym: number, code: number}|null}
 */
export function keyOf(e, { how = 'auto', mac = false, lock = false } = {}) {
  let code = scancode(e.code);
  if (isChar(e.key)) {
    const command = (e.ctrlKey || e.altKey || e.metaKey) && !e.getModifierState?.('AltGraph');
    if (e.location === 3) { // keypad: here Num Lock has already been applied
      const digit = e.key >= '0' && e.key <= '9' ? 0xffb0 + Number(e.key) : 0;
      const keysym = digit || keypad[e.key] || keysymOfChar(e.key);
      if (how !== 'position' && digit) code = 0;
      return { keysym, code };
    }
    const us = usLayout[e.code];
    if (command && e.key > '\x7f' && us && !(mac && e.altKey)) return { keysym: us.charCodeAt(0), code };
    const keysym = keysymOfChar(e.key);
    if (how === 'character') code = 0;
    if (how === 'auto') {
      const expected = us?.[e.shiftKey ? 1 : 0];
      const letter = e.code.startsWith('Key');
      if (e.key !== expected || (letter && lock && !command)) code = 0;
    }
    return keysym || code ? { keysym, code } : null;
  }
  if (mac) {
    // Option writes characters there, as AltGr does elsewhere; Command is where Alt
    // is on other keyboards.
    if (e.key === 'Alt') return { keysym: XK.Level3Shift, code: 0 };
    if (e.code === 'MetaLeft') return { keysym: XK.AltL, code: scancodes.AltLeft };
    if (e.code === 'MetaRight') return { keysym: XK.SuperL, code: scancodes.MetaLeft };
  }
  // By position it would be the right Alt of a US layout, which does not write.
  if (e.key === 'AltGraph') return { keysym: XK.Level3Shift, code: how === 'position' ? code : 0 };
  const list = named[e.key];
  if (list) {
    if (e.location === 3 && how !== 'position' && list[3] && e.key !== 'Enter') code = 0; // Num Lock is off here
    return { keysym: list[e.location] ?? list[0], code };
  }
  return code ? { keysym: 0, code } : null; // such as Unidentified
}
