package main

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificateFiles is a certificate that may be renewed while the program runs, as
// Kubernetes does with secrets.
type certificateFiles struct {
	cert, key string
	log       *slog.Logger

	mu      sync.Mutex
	current *tls.Certificate
	looked  time.Time
	changed [2]time.Time // of the files that current is from, or failed with
}

// lookEvery is how often, at most, the files are looked at.
const lookEvery = time.Second

// tlsConfig reads the certificate; nil where there is none.
func (o *serveOptions) tlsConfig(log *slog.Logger) (*tls.Config, error) {
	if o.tlsCert == "" {
		return nil, nil
	}
	cfg, err := loadCertificate(o.tlsCert, o.tlsKey, log)
	if err != nil {
		return nil, fmt.Errorf("--tls-cert %s --tls-key %s: %w", o.tlsCert, o.tlsKey, err)
	}
	return cfg, nil
}

// loadCertificate reads a certificate and its key, which may be in one file.
func loadCertificate(certFile, keyFile string, log *slog.Logger) (*tls.Config, error) {
	c := &certificateFiles{cert: certFile, key: keyFile, log: log, changed: modified(certFile, keyFile), looked: time.Now()}
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, pathReason(err)
	}
	c.current = &cert
	return certificateConfig(c.get), nil
}

// certificateConfig is how servers here speak TLS.
func certificateConfig(get func(*tls.ClientHelloInfo) (*tls.Certificate, error)) *tls.Config {
	return &tls.Config{
		GetCertificate: get,
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"http/1.1"}, // WebSockets need it
	}
}

// get returns the certificate, read again where the files have changed. One that
// cannot be used leaves the old one in place.
func (c *certificateFiles) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if now.Sub(c.looked) < lookEvery {
		return c.current, nil
	}
	c.looked = now
	changed := modified(c.cert, c.key)
	if changed == c.changed {
		return c.current, nil
	}
	c.changed = changed
	cert, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		c.log.Warn("the certificate has changed and cannot be used: the old one stays", "file", c.cert, "error", err)
		return c.current, nil
	}
	c.log.Info("the certificate was read again", "file", c.cert)
	c.current = &cert
	return c.current, nil
}

// modified returns when the files were changed.
func modified(names ...string) (at [2]time.Time) {
	for i, name := range names {
		if st, err := os.Stat(name); err == nil {
			at[i] = st.ModTime()
		}
	}
	return at
}
