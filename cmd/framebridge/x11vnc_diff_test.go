package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The command lines of testdata/x11vnc/cmdlines.tsv are those of real scripts,
// images and units. Each goes to Debian's x11vnc and to us, on the same display, and
// what can be seen from outside is compared. Where we differ the reason is here.

// deviation is a difference that is meant.
type deviation struct {
	line   string // part of the command line; empty: all
	what   string // what of the behaviour; empty: all
	ours   string // empty: whatever
	reason string
}

var deviations = []deviation{
	// Better.
	{"-loop", "exit code after SIGTERM", "2", "x11vnc's loop dies of the signal; ours ends its server and passes its exit code on"},
	{"-no6", "on ::1", "no", "x11vnc listens on IPv6 whatever -no6 and -noipv6 say"},
	{"-listen 0.0.0.0", "on ::1", "no", "x11vnc listens on all IPv6 addresses beside the one that -listen names"},
	{"-rfbportv6 -1", "on ::1", "no", "the same, with -localhost"},
	{"-alwaysshared", "second viewer", "in", "x11vnc does not recognize -alwaysshared, which is in its manual"},
	{"-display WAIT:", "", "", "a viewer that leaves while x11vnc still opens the display does not count; here it is the one that ends a server without -forever"},
	{"-unixsock", "stderr says where", "true", "where a unix socket is is said, too"},
	{"-create", "stdout", "PORT=free\n", "x11vnc prints PORT= once more when it opens the display"},
	{"-xvnc", "stdout", "PORT=@P@\n", "the same"},
	{"-gui", "exit code", "1", "x11vnc waits for a window in which to ask for the port; we want a number"},
	{"x11vnc --", "log says where", "", "x11vnc makes the log before it finds that -- is no option"},
	{"-V", "stdout", "", "the date is x11vnc's; ours names our version"},
	{"-id pick", "exit code", "", "x11vnc refuses it as unsafe, against its manual; ours has the user click on a window"},
	// Not for us.
	{"-ncache 10", "size", "(400,300)", "the window cache below the screen is what people complain of: ignored"},
	// Still to come.
	{"-svc", "", "", "no logins as users of the system"},
}

// moreLines are not seen anywhere, but have what the others lack.
var moreLines = []string{
	"x11vnc -display @D@ -nopw -rfbport @P@ -once -nevershared",
	"x11vnc -display @D@ -nopw -rfbport @P@ -shared",
	"x11vnc -display @D@ -nopw -rfbport @P@ -forever -nevershared",
	"x11vnc -display @D@ -nopw -rfbport @P@ -forever -nevershared -dontdisconnect",
	"x11vnc -display @D@ -nopw -rfbport @P@ -forever -dontdisconnect -shared",
	"x11vnc -display @D@ -nopw -rfbport @P@ -forever -noshared",
	"x11vnc -display @D@ -passwd other -viewpasswd sesame -rfbport @P@ -forever -shared",
	"x11vnc -display @D@ -passwdfile read:@H@/passwdfile -rfbport @P@ -forever -viewonly",
	"x11vnc -display @D@ -passwdfile rm:@H@/passwdfile -rfbport @P@ -forever",
	"x11vnc -display @D@ -passwdfile @H@/two -rfbport @P@ -forever",
	"x11vnc -display @D@ -nopw -autoport @P@ -forever -localhost -no6",
	"x11vnc -display @D@ -nopw -rfbport @P@ -forever -input KMB,K -desktop Title",
	"x11vnc -display @D@ -nopw -rfbport @P@ -forever -input K",
	"x11vnc -display @D@ -nopw -rfbport @P@ -forever -viewonly -input KMB,M",
	"x11vnc -display @D@ -nopw -rfbport @P@ -forever -allow 127.0.0.1",
	"x11vnc -display @D@ -nopw -rfbport @P@ -forever -accept true",
	"x11vnc -display @D@ -nopw -rfbport @P@ -forever -accept false",
	"x11vnc -display @D@ -nopw -rfbport @P@ -forever -accept 'yes:0,no:*,view:3 exit 3'",
	"x11vnc -display @D@ -nopw -rfbport @P@ -forever -deny_all",
	"x11vnc -display @D@ -nopw -rfbport @P@ -forever -flag @H@/after -rmflag @H@/gone",
	"x11vnc -display @D@ -nopw -rfbport @P@ -timeout 1 -flag @H@/after -rmflag @H@/gone",
	"x11vnc -display @D@ -nopw -rfbport @P@ -bg -q -oa @H@/x.log -once",
	"x11vnc -display @D@ -nopw -rfbport @P@ -noshm -noxdamage -noxfixes -nocursorshape -nocursorpos -repeat -forever",
	"x11vnc --display @D@ --nopw --rfbport @P@ --forever --shared --cursor arrow --xrandr newfbsize --norepeat -6",
	"x11vnc -norc -env FOO=bar -rc /dev/null -display @D@ -nopw -rfbport @P@ -many",
	"x11vnc -nopw -rfbport @P@ -forever -unixsock @H@/vnc.sock -safer",
	"x11vnc -display @D@ -nopw -rfbport @P@ -loop100 -once",
	"x11vnc -display @D@ -viewpasswd sesame",
	"x11vnc -display @D@ -rfbauth @H@/.vnc/passwd -passwd sesame",
	"x11vnc -display @D@ -passwdfile /nonexistent",
	"x11vnc -display :99.x -nopw",
	"x11vnc -display @D@ -nopw -rfbport",
	"x11vnc -display @D@ -nopw -rfbport 59x",
	"x11vnc -display:0 -nopw",
	"x11vnc -rc /nonexistent",
	"x11vnc -env FOO -nopw",
	"x11vnc -storepasswd a b c",
	"x11vnc -showrfbauth @H@/.vnc/passwd",
	"x11vnc -sigpipe both",
	"x11vnc -scale abc -display @D@",
	"x11vnc -norepeat 3 -display @D@ -nopw -rfbport @P@ -timeout 1",
	"x11vnc -V",
	"x11vnc -display @D@ -nopw -rfbport @P@ -forever -scale 2/3",
	"x11vnc -display @D@ -nopw -rfbport @P@ -forever -scale 333x201",
	"x11vnc -display @D@ -nopw -rfbport @P@ -forever -clip 101x50+350+10 -rotate 90",
	"x11vnc -display @D@ -nopw -rfbport @P@ -forever -clip xinerama0 -scale 0.3:n4",
	"x11vnc -display @D@ -Q clients,client_count,viewonly",
	"x11vnc -display @D@ -sync -R stop",
}

// inUnitTests are the lines that every test run tries, one for each kind of thing
// to be seen. X11VNC_LINES=all tries all of them ("make diff-x11vnc"),
// and numbers choose some.
var inUnitTests = []int{11, 19, 20, 26, 36, 44, 53, 55, 60, 68}

func chosenLines(t *testing.T, n int) (list []int) {
	switch v := os.Getenv("X11VNC_LINES"); v {
	case "":
		return inUnitTests
	case "all":
		for i := range n {
			list = append(list, i+1)
		}
	default:
		for s := range strings.SplitSeq(v, ",") {
			k, err := strconv.Atoi(s)
			require.NoError(t, err)
			list = append(list, k)
		}
	}
	return list
}

// readLines reads the command lines.
func readLines(t testing.TB) (lines []string) {
	b, err := os.ReadFile("testdata/x11vnc/cmdlines.tsv")
	require.NoError(t, err)
	for l := range strings.SplitSeq(strings.TrimSpace(string(b)), "\n") {
		if strings.HasPrefix(l, "#") {
			continue
		}
		_, line, ok := strings.Cut(l, "\t")
		require.True(t, ok, l)
		require.True(t, strings.HasPrefix(line, "x11vnc"), l)
		lines = append(lines, line)
	}
	require.Len(t, lines, 82)
	return lines
}

// result is what both programs did with a line.
type result struct {
	theirs, ours behaviour
	err          error
}

// workers is how many lines are tried at a time: they mostly wait.
const workers = 4

func TestX11vncCommandLines(t *testing.T) {
	original := peer(t, "x11vnc")
	lines := append(readLines(t), moreLines...)
	chosen := chosenLines(t, len(lines))
	link := filepath.Join(t.TempDir(), "x11vnc")
	require.NoError(t, os.Symlink(binary, link))
	results := make([]result, len(chosen))
	var wg sync.WaitGroup
	next := make(chan int)
	for range workers {
		wg.Go(func() {
			for i := range next {
				results[i] = compare(t.Context(), t.TempDir(), original, link, lines[chosen[i]-1])
			}
		})
	}
	for i := range chosen {
		next <- i
	}
	close(next)
	wg.Wait()
	used := map[int]bool{}
	for i, r := range results {
		line := lines[chosen[i]-1]
		t.Run(strconv.Itoa(chosen[i]), func(t *testing.T) {
			require.NoError(t, r.err)
			require.NotEmpty(t, r.theirs)
			report(t, line, r, used)
		})
	}
	if len(chosen) == len(lines) {
		for i, d := range deviations {
			assert.True(t, used[i], "no difference any more: %s %s (%s)", d.line, d.what, d.reason)
		}
	}
}

// compare runs a line with both programs, each in a home of its own on the same
// display.
func compare(ctx context.Context, dir, original, link, line string) (r result) {
	for i, program := range []string{original, link} {
		home := filepath.Join(dir, strconv.Itoa(i))
		if r.err = os.Mkdir(home, 0o700); r.err != nil {
			return r
		}
		s, err := newStage(ctx, home)
		if err != nil {
			return result{err: err}
		}
		text := line
		if program == original {
			// It finds no cookie of a server that was started with -displayfd.
			text = strings.ReplaceAll(line, "-auth guess", "-auth @X@")
		}
		see, err := s.observe(ctx, program, text)
		s.close()
		if err != nil {
			return result{err: err}
		}
		if i == 0 {
			r.theirs = see
		} else {
			r.ours = see
		}
	}
	return r
}

// report fails for each difference that is not meant.
func report(t *testing.T, line string, r result, used map[int]bool) {
	keys := maps.Clone(r.theirs)
	maps.Copy(keys, r.ours)
	for _, what := range slices.Sorted(maps.Keys(keys)) {
		theirs, ours := r.theirs[what], r.ours[what]
		if theirs == ours {
			continue
		}
		i := slices.IndexFunc(deviations, func(d deviation) bool {
			return strings.Contains(line, d.line) && (d.what == "" || d.what == what) && (d.ours == "" || d.ours == ours)
		})
		if i >= 0 {
			used[i] = true
			continue
		}
		t.Errorf("%s\n%s: x11vnc: %q, ours: %q", line, what, theirs, ours)
	}
	if t.Failed() {
		t.Log(fmt.Sprint("x11vnc: ", r.theirs, "\nours:   ", r.ours))
	}
}
