package stream

// Version is the number of these rules; a page of another version reloads.
const Version = 1

// Hello tells the page what it talks to.
type Hello struct {
	Version      int    `json:"version"`
	Name         string `json:"name"` // the desktop's
	Width        int    `json:"width"`
	Height       int    `json:"height"`
	Control      bool   `json:"control"`      // keys and pointer are heard
	ClipboardIn  bool   `json:"clipboardIn"`  // the page may set the clipboard
	ClipboardOut bool   `json:"clipboardOut"` // the page is told the clipboard
	Resize       bool   `json:"resize"`       // Settings.Width and Height are heard
	// MaxClipboard bounds the texts of the clipboard, in bytes: a page that sends more
	// breaks the rules.
	MaxClipboard int `json:"maxClipboard"`
}

// State says how the display is.
type State struct {
	Display string `json:"display"` // "up", or "waiting": the picture is the last one
	Message string `json:"message,omitempty"`
	Viewers int    `json:"viewers"`
}

// Settings are the page's wishes; zero values change nothing.
type Settings struct {
	// Quality is "auto", "sharp" (fine from the first frame on), or "fast"
	// (coarse while things move).
	Quality string `json:"quality,omitempty"`
	// Stats asks for Stats, false ends them.
	Stats *bool `json:"stats,omitempty"`
	// Width and Height ask for another size of the screen.
	Width  int `json:"width,omitempty"`
	Height int `json:"height,omitempty"`
}

// Stats are the server's figures of the last second.
type Stats struct {
	Frames   int     `json:"frames"`
	Bytes    int     `json:"bytes"`
	EncodeMs float64 `json:"encodeMs"` // mean
	RTTMs    float64 `json:"rttMs"`    // of frames: sent to acknowledged, smallest
	QueueMs  float64 `json:"queueMs"`  // what the link holds back beyond that
	Quant    int     `json:"quant"`    // last quantiser index, 0 to 127
}
