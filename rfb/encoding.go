package rfb

import "strconv"

// Encoding is the number of an encoding or a pseudo-encoding (RFC 6143,
// sections 7.7 and 7.8).
type Encoding int32

// Encodings: how the pixels of a rectangle are written.
const (
	EncodingRaw      Encoding = 0
	EncodingCopyRect Encoding = 1
	EncodingRRE      Encoding = 2
	EncodingCoRRE    Encoding = 4
	EncodingHextile  Encoding = 5
	EncodingZlib     Encoding = 6
	EncodingTight    Encoding = 7
	EncodingZlibHex  Encoding = 8
	EncodingUltra    Encoding = 9
	EncodingTRLE     Encoding = 15
	EncodingZRLE     Encoding = 16
	EncodingZYWRLE   Encoding = 17
	EncodingJPEG     Encoding = 21
	EncodingH264     Encoding = 50
	EncodingTightPNG Encoding = -260
)

// Pseudo-encodings: what a viewer can do beyond pixels. Some of them also
// come back as the encoding of a pseudo-rectangle.
const (
	PseudoJPEGQuality0         Encoding = -32 // quality level 0, the worst
	PseudoJPEGQuality9         Encoding = -23
	PseudoDesktopSize          Encoding = -223
	PseudoLastRect             Encoding = -224
	PseudoPointerPos           Encoding = -232
	PseudoCursor               Encoding = -239
	PseudoXCursor              Encoding = -240
	PseudoCompress0            Encoding = -256 // compression level 0, the fastest
	PseudoCompress9            Encoding = -247
	PseudoQEMUPointerMotion    Encoding = -257
	PseudoQEMUExtendedKey      Encoding = -258
	PseudoQEMUAudio            Encoding = -259
	PseudoLEDState             Encoding = -261
	PseudoGII                  Encoding = -305
	PseudoDesktopName          Encoding = -307
	PseudoExtendedDesktopSize  Encoding = -308
	PseudoXvp                  Encoding = -309
	PseudoFence                Encoding = -312
	PseudoContinuousUpdates    Encoding = -313
	PseudoCursorWithAlpha      Encoding = -314
	PseudoExtendedMouseButtons Encoding = -316
	PseudoTightNoZlib          Encoding = -317
	PseudoFineQuality0         Encoding = -512 // quality 0 of 100, TurboVNC's finer scale
	PseudoFineQuality100       Encoding = -412
	PseudoSubsampling0         Encoding = -768 // 1X, then 4X, 2X, grey, 8X, 16X
	PseudoSubsampling5         Encoding = -763
	PseudoVMwareCursor         Encoding = 0x574d5664
	PseudoVMwareCursorState    Encoding = 0x574d5665
	PseudoVMwareCursorPos      Encoding = 0x574d5666
	PseudoVMwareKeyRepeat      Encoding = 0x574d5667
	PseudoVMwareLEDState       Encoding = 0x574d5668
	PseudoExtendedClipboard    Encoding = -0x3f5e1a32 // 0xc0a1e5ce
)

// encodingNames are the rfbproto names, without "Pseudo-encoding".
var encodingNames = map[Encoding]string{
	EncodingRaw:                "Raw",
	EncodingCopyRect:           "CopyRect",
	EncodingRRE:                "RRE",
	EncodingCoRRE:              "CoRRE",
	EncodingHextile:            "Hextile",
	EncodingZlib:               "zlib",
	EncodingTight:              "Tight",
	EncodingZlibHex:            "zlibhex",
	EncodingUltra:              "Ultra",
	EncodingTRLE:               "TRLE",
	EncodingZRLE:               "ZRLE",
	EncodingZYWRLE:             "ZYWRLE",
	EncodingJPEG:               "JPEG",
	EncodingH264:               "Open H.264",
	EncodingTightPNG:           "TightPNG",
	PseudoDesktopSize:          "DesktopSize",
	PseudoLastRect:             "LastRect",
	PseudoPointerPos:           "PointerPos",
	PseudoCursor:               "Cursor",
	PseudoXCursor:              "XCursor",
	PseudoQEMUPointerMotion:    "QEMU Pointer Motion",
	PseudoQEMUExtendedKey:      "QEMU Extended Key",
	PseudoQEMUAudio:            "QEMU Audio",
	PseudoLEDState:             "LED State",
	PseudoGII:                  "gii",
	PseudoDesktopName:          "DesktopName",
	PseudoExtendedDesktopSize:  "ExtendedDesktopSize",
	PseudoXvp:                  "xvp",
	PseudoFence:                "Fence",
	PseudoContinuousUpdates:    "ContinuousUpdates",
	PseudoCursorWithAlpha:      "CursorWithAlpha",
	PseudoExtendedMouseButtons: "ExtendedMouseButtons",
	PseudoTightNoZlib:          "Tight without zlib",
	PseudoVMwareCursor:         "VMware Cursor",
	PseudoVMwareCursorState:    "VMware Cursor State",
	PseudoVMwareCursorPos:      "VMware Cursor Position",
	PseudoVMwareKeyRepeat:      "VMware Key Repeat",
	PseudoVMwareLEDState:       "VMware LED State",
	PseudoExtendedClipboard:    "ExtendedClipboard",
}

// String returns the name rfbproto gives e, else its number.
func (e Encoding) String() string {
	if s, ok := encodingNames[e]; ok {
		return s
	}
	if l, ok := e.JPEGQuality(); ok {
		return "JPEG quality " + strconv.Itoa(l)
	}
	if l, ok := e.CompressLevel(); ok {
		return "compression " + strconv.Itoa(l)
	}
	if q, ok := e.FineQuality(); ok {
		return "fine quality " + strconv.Itoa(q)
	}
	if e >= PseudoSubsampling0 && e <= PseudoSubsampling5 {
		return "subsampling " + strconv.Itoa(int(e-PseudoSubsampling0))
	}
	return strconv.Itoa(int(e))
}

// JPEGQuality returns the quality level 0..9 that e stands for.
func (e Encoding) JPEGQuality() (level int, ok bool) {
	return int(e - PseudoJPEGQuality0), e >= PseudoJPEGQuality0 && e <= PseudoJPEGQuality9
}

// CompressLevel returns the compression level 0..9 that e stands for.
func (e Encoding) CompressLevel() (level int, ok bool) {
	return int(e - PseudoCompress0), e >= PseudoCompress0 && e <= PseudoCompress9
}

// FineQuality returns the JPEG quality 0..100 that e stands for.
func (e Encoding) FineQuality() (quality int, ok bool) {
	return int(e - PseudoFineQuality0), e >= PseudoFineQuality0 && e <= PseudoFineQuality100
}
