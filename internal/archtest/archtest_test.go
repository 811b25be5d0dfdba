// Package archtest holds the shape of the program: which package may import
// which. The rules that carry the shape: rfb and encode do not know each other,
// only capture/xshm, capture/fbdir, input/xtest and input/selection know X.
package archtest

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "framebridge/"

// anything lets a package import all others of ours.
const anything = "*"

// allowed lists every package and what of ours it may import. A trailing /...
// stands for all packages below. Test files may import test helpers as well.
var allowed = map[string][]string{
	"cmd/framebridge": {anything},
	"bench":           {anything},
	"bench/chart":     {},
	"bench/link":      {},
	"bench/recording": {"capture", "internal/pix"},

	"rfb":         {"internal/pix"},
	"rfb/rfbtest": {"rfb", "internal/pix"},

	"capture":             {"internal/pix"},
	"capture/capturetest": {"capture", "internal/pix"},
	"capture/fbdir":       {"capture", "internal/pix", "internal/x11"},
	"capture/synth":       {"capture", "internal/pix"},
	"capture/rawfb":       {"capture", "internal/pix", "internal/x11"},
	"capture/view":        {"capture", "input", "internal/pix"},
	"capture/xshm":        {"capture", "internal/pix", "internal/x11"},

	"encode":            {"encode/deflate", "internal/pix"},
	"encode/deflate":    {},
	"encode/encodetest": {"encode", "internal/pix"},
	"encode/hextile":    {"encode", "internal/pix"},
	"encode/jpeg":       {"encode", "internal/pix"},
	"encode/raw":        {"encode", "internal/pix"},
	"encode/rre":        {"encode", "internal/pix"},
	"encode/tight":      {"encode", "encode/deflate", "encode/jpeg", "internal/pix"},
	"encode/vp8":        {"encode/vp8/dsp", "internal/pix"},
	"encode/vp8/dsp":    {"internal/pix"},
	"encode/zlib":       {"encode", "encode/deflate", "internal/pix"},
	"encode/zrle":       {"encode", "encode/deflate", "internal/pix"},

	"input":           {},
	"input/selection": {"input", "internal/x11"},
	"input/xtest":     {"input", "internal/x11"},

	"internal/archtest":      {},
	"internal/peertest":      {},
	"internal/pix":           {},
	"internal/mdns":          {},
	"internal/port":          {},
	"internal/remote":        {"internal/x11"},
	"internal/reverse":       {},
	"internal/screen":        {"capture", "internal/pix"},
	"internal/seat":          {"internal/x11"},
	"internal/rtc":           {"encode/vp8", "internal/pix", "internal/rtc/icetcp", "internal/stream"},
	"internal/rtc/icetcp":    {},
	"internal/stream":        {"capture", "input", "internal/pix", "internal/screen"},
	"internal/video":         {"capture", "encode/vp8", "internal/pix", "internal/screen", "internal/stream"},
	"internal/vnc":           {"capture", "encode", "encode/...", "input", "rfb", "internal/pix", "internal/screen"},
	"internal/web":           {"internal/pix", "internal/rtc", "internal/screen", "internal/stream", "internal/vnc", "rfb"},
	"internal/x11":           {"internal/pix"},
	"internal/x11vnc":        {},
	"internal/xvfb":          {"internal/x11"},
	"internal/xvfb/xvfbtest": {"internal/pix", "internal/x11", "internal/xvfb"},
}

// helpers are the packages that only test files, and the packages named here,
// may import.
var helpers = []string{"rfb/rfbtest", "capture/capturetest", "capture/synth", "encode/encodetest", "internal/peertest", "internal/xvfb/xvfbtest", "internal/xvfb"}

// outside restricts modules of others to the packages that own their use.
var outside = map[string][]string{
	"github.com/BurntSushi/xgb":    {"internal/x11", "capture/xshm", "capture/fbdir", "capture/rawfb", "input/xtest", "input/selection", "internal/remote", "internal/xvfb/xvfbtest", "bench"},
	"github.com/spf13/":            {"cmd/framebridge"},
	"github.com/pion/":             {"internal/rtc", "bench"},
	"github.com/klauspost/":        {"encode", "encode/...", "rfb/rfbtest", "bench/recording"},
	"github.com/coder/websocket":   {"internal/web", "bench"},
	"github.com/amitbet/vnc2video": {},
}

func TestImportDirection(t *testing.T) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	files := map[string]int{}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "testdata" || name == "bin") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		rel, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		pkg := filepath.ToSlash(rel)
		files[pkg]++
		rules, ok := allowed[pkg]
		if !ok {
			t.Errorf("package %s is not listed: say here what it may import", pkg)
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		isTest := strings.HasSuffix(name, "_test.go")
		for _, spec := range f.Imports {
			imp, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if own, ok := strings.CutPrefix(imp, module); ok {
				if !permits(rules, own) && own != pkg && !(isTest && slices.Contains(helpers, own)) {
					t.Errorf("%s/%s must not import %s", pkg, name, own)
				}
				continue
			}
			for prefix, owners := range outside {
				if strings.HasPrefix(imp, prefix) && !isTest && !permits(owners, pkg) {
					t.Errorf("%s/%s must not import %s", pkg, name, imp)
				}
			}
		}
		return nil
	})
	require.NoError(t, err)
	var missing []string
	for pkg := range allowed {
		if files[pkg] == 0 {
			missing = append(missing, pkg)
		}
	}
	sort.Strings(missing)
	require.Empty(t, missing, "listed packages without files")
}

func permits(rules []string, pkg string) bool {
	for _, r := range rules {
		if r == anything || r == pkg {
			return true
		}
		if below, ok := strings.CutSuffix(r, "/..."); ok && strings.HasPrefix(pkg, below+"/") {
			return true
		}
	}
	return false
}

// TestTopLevel holds the folders at the top to those that the project has.
func TestTopLevel(t *testing.T) {
	entries, err := os.ReadDir("../..")
	require.NoError(t, err)
	want := []string{"bench", "capture", "cmd", "encode", "input", "internal", "rfb", "testdata"}
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") && e.Name() != "bin" {
			require.Contains(t, want, e.Name())
		}
	}
}
