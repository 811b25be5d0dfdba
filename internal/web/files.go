package web

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"strings"
	"sync"
	"time"
)

// policy lets the page use what comes with it and nothing else. Pictures made by
// the page are the pointer's shapes. 'self' covers WebSockets to the same host.
const policy = "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; " +
	"img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self'; manifest-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'self'"

// otherPolicy is for pages that we do not know: nobody else may frame them.
const otherPolicy = "frame-ancestors 'self'"

// types are the media types of what pages consist of. The system's table would
// differ from machine to machine.
var types = map[string]string{
	".html":        "text/html; charset=utf-8",
	".js":          "text/javascript; charset=utf-8",
	".mjs":         "text/javascript; charset=utf-8",
	".css":         "text/css; charset=utf-8",
	".txt":         "text/plain; charset=utf-8",
	".md":          "text/plain; charset=utf-8",
	".json":        "application/json",
	".map":         "application/json",
	".webmanifest": "application/manifest+json",
	".wasm":        "application/wasm",
	".svg":         "image/svg+xml",
	".png":         "image/png",
	".jpg":         "image/jpeg",
	".gif":         "image/gif",
	".ico":         "image/x-icon",
	".woff":        "font/woff",
	".woff2":       "font/woff2",
	".ttf":         "font/ttf",
	".oga":         "audio/ogg",
	".ogg":         "audio/ogg",
	".mp3":         "audio/mpeg",
}

// indexes are the files that stand for their folder. The second is noVNC's, whose
// Debian package has no index.html.
var indexes = []string{"index.html", "vnc.html"}

// files serves a folder: no listings, nothing that begins with a dot, and every
// answer is checked for news by the browser, which is cheap by its ETag.
type files struct {
	root fs.FS
	own  bool // the embedded page

	mu    sync.Mutex
	etags map[string]etag
}

// etag is a file's, valid while size and time stay.
type etag struct {
	tag  string
	size int64
	time time.Time
}

// maxEtags bounds what is remembered of a folder with many files.
const maxEtags = 1024

func newFiles(root fs.FS, own bool) *files {
	return &files{root: root, own: own, etags: make(map[string]etag)}
}

func openDir(dir string) (fs.FS, error) {
	st, err := os.Stat(dir)
	if err == nil && !st.IsDir() {
		err = errors.New("is not a folder")
	}
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return nil, fmt.Errorf("--web-dir %s: %w", dir, err)
	}
	return os.DirFS(dir), nil
}

func (f *files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	folder := name == "" || strings.HasSuffix(name, "/")
	if name == "" {
		name = "."
	}
	name = strings.TrimSuffix(name, "/")
	if !fs.ValidPath(name) || strings.Contains("/"+name, "/.") && name != "." {
		http.NotFound(w, r)
		return
	}
	if folder {
		for _, index := range indexes {
			if st, err := fs.Stat(f.root, path.Join(name, index)); err == nil && st.Mode().IsRegular() {
				f.file(w, r, path.Join(name, index))
				return
			}
		}
		http.NotFound(w, r)
		return
	}
	f.file(w, r, name)
}

func (f *files) file(w http.ResponseWriter, r *http.Request, name string) {
	file, err := f.root.Open(name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer file.Close()
	st, err := file.Stat()
	body, seeks := file.(io.ReadSeeker)
	if err != nil || !seeks || !st.Mode().IsRegular() {
		http.NotFound(w, r)
		return
	}
	tag, err := f.etag(name, st, body)
	if err != nil {
		http.Error(w, "cannot be read", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	kind := types[strings.ToLower(path.Ext(name))]
	if kind == "" {
		kind = "application/octet-stream"
	}
	h.Set("Content-Type", kind)
	h.Set("ETag", tag)
	h.Set("Cache-Control", "no-cache")
	if f.own {
		h.Set("Content-Security-Policy", policy)
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
	} else {
		h.Set("Content-Security-Policy", otherPolicy)
	}
	http.ServeContent(w, r, "", time.Time{}, body)
}

func (f *files) etag(name string, st fs.FileInfo, body io.ReadSeeker) (string, error) {
	f.mu.Lock()
	e, ok := f.etags[name]
	f.mu.Unlock()
	if ok && e.size == st.Size() && e.time.Equal(st.ModTime()) {
		return e.tag, nil
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, body); err != nil {
		return "", err
	}
	if _, err := body.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	tag := `"` + base64.RawURLEncoding.EncodeToString(sum.Sum(nil)[:15]) + `"`
	f.mu.Lock()
	if len(f.etags) >= maxEtags {
		clear(f.etags)
	}
	f.etags[name] = etag{tag, st.Size(), st.ModTime()}
	f.mu.Unlock()
	return tag, nil
}
