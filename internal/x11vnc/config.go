package x11vnc

import "time"

// Config is what the options say, not yet what it means: no file was read and
// no name looked up for it.
type Config struct {
	// Display is -display's value; empty: $DISPLAY, then :0.
	Display string
	// Auth is an Xauthority file or "guess"; empty: $XAUTHORITY, ~/.Xauthority.
	Auth   string
	Find   bool   // serve the display that the user has
	Create bool   // the same, and start one if there is none
	XSrv   string // kinds of X servers for Create
	Users  string // who to become
	Reopen bool   // stay when the X server goes
	Sleep  [2]time.Duration

	Listen           // where
	Access           // who
	Output           // logs and files
	Input   InputCfg // what viewers can do
	Picture Picture
	TLS     TLS
	HTTP    HTTP
	Local   Local

	Timeout time.Duration // end when no viewer came in that time; 0: never
	Forever bool
	Loop    Loop
	// Unread holds the options that have no effect, as they were written.
	Unread []Note
	// Utility, if not empty, is what to do instead of serving: the option's name.
	// Args are its arguments.
	Utility string
	Args    []string
	// Remote are the commands and queries for a running instance, in order.
	Remote []RemoteCommand
	Sync   bool // wait until remote commands were done
	// QueryRetries, QueryDelay and QueryMatch say when to ask again.
	QueryRetries string
	// Connect are viewers to connect to, or a file of them.
	Connect       string
	ConnectOrExit bool // end if none can be reached
	Proxy         string
	NoVNCConnect  bool // do not look at the properties for remote control
}

// Note is an option that was read and will not do what it says.
type Note struct {
	Option *Option
	As     string // as it was written
}

// RemoteCommand is one -R or -Q.
type RemoteCommand struct {
	Query    bool
	Defaults bool // the answer is what a server begins with
	Text     string
}

// Listen says where viewers reach the server.
type Listen struct {
	Port      int // 0: no TCP
	PortSet   bool
	ByDisplay bool // 5900 and the display's number
	AutoPort  int  // first port to try; 0: 5900
	PortV6    int  // -1: not on IPv6
	PortV6Set bool
	Also6     bool   // -6
	No6       bool   // do not listen on IPv6
	NoIPv6    bool   // nor use it
	NoIPv4    bool   // never use IPv4
	Addr      string // address or interface
	Addr6     string
	Localhost bool
	Unix      string
	Inetd     bool
}

// TLS says how connections are encrypted.
type TLS struct {
	On  bool
	PEM string // a file, or SAVE and the like; empty: SAVE
	// Dir is where certificates are; empty: ~/.vnc/certs.
	Dir string
	// Verify names the certificates that viewers must have one of; empty: none.
	Verify string
	// VeNCrypt says whether viewers may begin in the clear and go on in TLS.
	VeNCrypt VeNCryptMode
	// CertFile and KeyFile, without On, let viewers and browsers use TLS, and do not
	// ask for it.
	CertFile, KeyFile string
}

// VeNCryptMode is -vencrypt's value.
type VeNCryptMode int

// VeNCrypt modes.
const (
	VeNCryptSupport VeNCryptMode = iota // beside TLS from the first byte on
	VeNCryptNever                       // only TLS from the first byte on
	VeNCryptForce                       // only VeNCrypt
)

// HTTP says where pages are served.
type HTTP struct {
	On      bool   // the page
	Dir     string // in its place
	Port    int    // 0: the port for viewers less 100
	OnePort bool   // on the port for viewers, too
	HTTPS   bool   // one more port, for https
	TLSPort int    // 0: any
}

// Local says what becomes of the display's own monitor, keyboard and pointer, and
// who learns of the server.
type Local struct {
	GrabKeyboard, GrabPointer bool
	DPMS                      DPMSMode
	Solid                     string // colour of the background; empty: as it is
	MDNS                      bool
}

// DPMSMode is what the monitor's power is to be.
type DPMSMode int

// DPMS modes.
const (
	DPMSAsIs      DPMSMode = iota
	DPMSOn                 // on while viewers are there
	DPMSOff                // always off
	DPMSClientOff          // off while viewers are there
)

// Loop says how to start again whenever the server ends.
type Loop struct {
	On    bool
	BG    bool // in the background; -bg beside -loop does not do that
	Pause time.Duration
	Count int // 0: for ever
}

// Access says who may come in.
type Access struct {
	Passwd       *string
	ViewPasswd   *string
	RFBAuth      string
	PasswdFile   string
	UsePw        bool
	NoPw         bool
	Allow        string // -allow's value
	ViewOnly     bool
	Shared       bool
	AlwaysShared bool
	NeverShared  bool
	DontDrop     bool
	Accept       string
	AfterAccept  string
	Gone         string
	DenyAll      bool
	NoCmds       bool
	AllowedCmds  string
	NoRemote     bool
}

// Output says what is written where.
type Output struct {
	Quiet, Verbose, BG bool
	LogFile            string
	LogAppend          bool
	Flag               string
	RmFlag             string
	Desktop            string
	Version            string // of RFB; empty: the highest
}

// InputCfg says what reaches X of viewers' input.
type InputCfg struct {
	// Normal and ViewOnly are which of KMBCF viewers with and without control may
	// use; nil: the usual.
	Normal, ViewOnly *string
	NoModTweak       bool
	NoXKB            bool
	SkipLockKeys     bool
	SkipKeycodes     []byte
	NoAddKeysyms     bool
	ClearMods        bool
	ClearKeys        bool
	ClearLocks       bool
	// Repeat leaves X's auto-repeat alone; else it is off while viewers are there.
	Repeat    bool
	ButtonMap string
	Remap     string
	DebugKeys bool
	DebugPtr  bool
	NoBell    bool

	NoSel          bool
	NoPrimary      bool
	NoSetPrimary   bool
	NoClipboard    bool
	NoSetClipboard bool
	SelDir         string // "send", "recv" or both: which way is open; empty: both
}

// Picture says what is shown and how often.
type Picture struct {
	NoShm      bool
	NoDamage   bool
	NoFixes    bool
	NoCursor   bool
	Cursor     string // mode word; empty: most
	NoShape    bool   // paint the cursor into the picture
	NoPos      bool
	NoDragging bool // no updates while a button is held
	NoPicture  bool // -nofb
	Wait       time.Duration
	Defer      time.Duration // for whoever asks; updates are not held back
	Ping       time.Duration
	Client     time.Duration // how long a viewer may block; 0: default

	RawFB string // what to show in place of an X display

	// For the picture's transformations.
	Clip, ID, SID, Scale, ScaleCursor, Rotate, Blackout, XRandR string
}

// DefaultConfig is what an empty command line means.
func DefaultConfig() *Config { return &Config{} }
