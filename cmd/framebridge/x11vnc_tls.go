package main

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"framebridge/internal/x11vnc"
)

// TLS as x11vnc has it: certificates are PEM files in ~/.vnc/certs, server.pem with
// key and certificate, server.crt with the certificate alone for viewers. They are
// made here, not by openssl.

const (
	// savedFor and usedFor are how long certificates are good that are kept and that
	// are made for one run. Nobody renews the former.
	savedFor = 10 * 365 * 24 * time.Hour
	usedFor  = 365 * 24 * time.Hour
	// keyBits is what x11vnc's have: viewers of that time know nothing newer.
	keyBits = 2048
	// maxPEM bounds a file of certificates: some hundreds of them.
	maxPEM = 1 << 20
)

// certFolder is where certificates are.
func certFolder(c *x11vnc.TLS) (string, error) {
	if c.Dir != "" {
		return c.Dir, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("-ssl: there is no place for certificates: give one with -ssldir: %w", err)
	}
	return filepath.Join(home, ".vnc", "certs"), nil
}

// savedPEM returns the file that SAVE and the like mean; ok is false for other
// values of -ssl.
func savedPEM(dir, v string) (path string, ok bool) {
	word, name, named := strings.Cut(v, "-")
	switch word {
	case "", "SAVE", "SAVE_NOPROMPT", "SAVE_PROMPT":
	default:
		return "", false
	}
	if word == "" && named {
		return "", false
	}
	file := "server"
	if named {
		file += "-" + name
	}
	return filepath.Join(dir, file+".pem"), true
}

// useTLS reads or makes the certificate that the options name.
func (s *x11vncServer) useTLS() error {
	c := &s.cfg.TLS
	if !c.On {
		if c.CertFile == "" && c.KeyFile == "" {
			return nil
		}
		key := c.KeyFile
		if key == "" {
			key = c.CertFile
		}
		cfg, err := loadCertificate(c.CertFile, key, s.log)
		if err != nil {
			return fmt.Errorf("-sslcertfile %s -sslkeyfile %s: %w", c.CertFile, key, err)
		}
		s.tls = cfg
		return nil
	}
	dir, err := certFolder(c)
	if err != nil {
		return err
	}
	switch path, saved := savedPEM(dir, c.PEM); {
	case c.PEM == "TMP":
		cert, err := makeCertificate(usedFor)
		if err != nil {
			return fmt.Errorf("-ssl TMP: %w", err)
		}
		pair, err := tls.X509KeyPair(cert, cert)
		if err != nil {
			return fmt.Errorf("-ssl TMP: %w", err)
		}
		s.tls = certificateConfig(func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &pair, nil })
		s.showCertificate("made for this run", cert)
	case saved:
		if err := saveCertificate(path); err != nil {
			return fmt.Errorf("-ssl %s: %w", c.PEM, err)
		}
		if s.tls, err = loadCertificate(path, path, s.log); err != nil {
			return fmt.Errorf("-ssl %s: %s: %w", c.PEM, path, err)
		}
		if b, err := readPEM(path); err == nil {
			s.showCertificate(path, b)
		}
	default:
		if s.tls, err = loadCertificate(c.PEM, c.PEM, s.log); err != nil {
			return fmt.Errorf("-ssl %s: %w", x11vnc.Printable(c.PEM), err)
		}
		s.log.Info("using PEM " + c.PEM)
	}
	if c.Verify != "" {
		if s.clientCAs, err = verifyPool(dir, c.Verify); err != nil {
			return fmt.Errorf("-sslverify %s: %w", x11vnc.Printable(c.Verify), err)
		}
		s.tls.ClientAuth, s.tls.ClientCAs = tls.RequireAndVerifyClientCert, s.clientCAs
	}
	return nil
}

// showCertificate prints a certificate for viewers to keep.
func (s *x11vncServer) showCertificate(where string, b []byte) {
	s.log.Info("using PEM " + where)
	for block, rest := pem.Decode(b); block != nil && !s.cfg.Quiet; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			s.log.Info("fingerprint (SHA-256): " + fingerprint(block.Bytes))
			os.Stderr.Write(pem.EncodeToMemory(block)) //nolint:errcheck // nobody to tell
			return
		}
	}
}

func fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return strings.ReplaceAll(fmt.Sprintf("% X", sum[:]), " ", ":")
}

// makeCertificate returns a key and a certificate that it signs itself.
func makeCertificate(goodFor time.Duration) ([]byte, error) {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "localhost"
	}
	names := []string{host}
	if host != "localhost" {
		names = append(names, "localhost")
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: host, Organization: []string{"x11vnc"}},
		NotBefore:             now.Add(-time.Hour), // clocks differ
		NotAfter:              now.Add(goodFor),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment | x509.KeyUsageCertSign,
		BasicConstraintsValid: true,
		IsCA:                  true, // viewers take it for the authority that it is signed by
		DNSNames:              names,
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	b := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
	return append(b, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...), nil
}

// saveCertificate makes a PEM file if it is not there, and the one without the key
// beside it.
func saveCertificate(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return pathReason(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	b, err := makeCertificate(savedFor)
	if err != nil {
		return err
	}
	if err := replaceFile(path, b); err != nil {
		return err
	}
	_, cert := pem.Decode(b)
	return os.WriteFile(strings.TrimSuffix(path, ".pem")+".crt", cert, 0o644)
}

func readPEM(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, pathReason(err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxPEM+1))
	if err == nil && len(b) > maxPEM {
		err = fmt.Errorf("is larger than %d bytes", maxPEM)
	}
	return b, pathReason(err)
}

// verifyPool reads the certificates of -sslverify: of a file, of a folder, or of
// tokens that name files in the folder for certificates.
func verifyPool(dir, v string) (*x509.CertPool, error) {
	var files []string
	switch st, err := os.Stat(v); {
	case err == nil && st.IsDir():
		files, err = filepath.Glob(filepath.Join(v, "*"))
		if err != nil {
			return nil, err
		}
	case err == nil:
		files = []string{v}
	default:
		for token := range strings.SplitSeq(v, ",") {
			switch token {
			case "CA":
				files = append(files, filepath.Join(dir, "CA", "cacert.pem"))
			case "clients":
				found, err := filepath.Glob(filepath.Join(dir, "clients", "*.crt"))
				if err != nil {
					return nil, err
				}
				files = append(files, found...)
			case "":
				return nil, errors.New("a name is empty")
			default:
				files = append(files, filepath.Join(dir, "clients", token+".crt"))
			}
		}
	}
	pool, n := x509.NewCertPool(), 0
	for _, file := range files {
		if st, err := os.Stat(file); err == nil && st.IsDir() {
			continue
		}
		b, err := readPEM(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		list, err := parseCertificates(b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for _, c := range list {
			pool.AddCert(c)
			n++
		}
	}
	if n == 0 {
		return nil, errors.New("there is no certificate: nobody could come in")
	}
	return pool, nil
}

// parseCertificates returns the certificates of a PEM file.
func parseCertificates(b []byte) (list []*x509.Certificate, err error) {
	for block, rest := pem.Decode(b); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" && block.Type != "TRUSTED CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

// certInfo is -sslCertInfo: it prints what certificates say.
func certInfo(w io.Writer, c *x11vnc.TLS, v string) error {
	dir, err := certFolder(c)
	if err != nil {
		return err
	}
	var files []string
	switch strings.ToUpper(v) {
	case "LIST", "LISTL", "LL", "ALL":
		for _, pattern := range []string{"*.pem", "*.crt", "CA/cacert.pem", "clients/*.crt", "clients/*.pem"} {
			found, err := filepath.Glob(filepath.Join(dir, pattern))
			if err != nil {
				return err
			}
			files = append(files, found...)
		}
		slices.Sort(files)
		if strings.ToUpper(v) != "ALL" {
			for _, f := range files {
				fmt.Fprintln(w, f)
			}
			return nil
		}
	default:
		files = []string{namedPEM(dir, v)}
	}
	for _, file := range files {
		b, err := readPEM(file)
		if err != nil {
			return fmt.Errorf("%s: %w", x11vnc.Printable(file), err)
		}
		list, err := parseCertificates(b)
		if err == nil && len(list) == 0 {
			err = errors.New("there is no certificate in it")
		}
		if err != nil {
			return fmt.Errorf("%s: %w", x11vnc.Printable(file), err)
		}
		for _, c := range list {
			describe(w, file, c)
		}
	}
	return nil
}

// namedPEM returns the file that -sslCertInfo's value means: SAVE and the like, a
// file, or the short name of a server's or client's certificate.
func namedPEM(dir, v string) string {
	if path, saved := savedPEM(dir, v); saved {
		return path
	}
	for _, path := range []string{
		v, filepath.Join(dir, "server-"+v+".pem"), filepath.Join(dir, "clients", v+".pem"), filepath.Join(dir, "clients", v+".crt"),
	} {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return v
}

func describe(w io.Writer, file string, c *x509.Certificate) {
	const form = "Jan _2 15:04:05 2006 MST"
	fmt.Fprintf(w, "Certificate: %s\n    Serial Number: %X\n    Signature Algorithm: %v\n    Issuer: %s\n    Not Before: %s\n    Not After : %s\n"+
		"    Subject: %s\n    Names: %s\n    SHA256 Fingerprint=%s\n",
		file, c.SerialNumber, c.SignatureAlgorithm, oneLine(c.Issuer.String()), c.NotBefore.UTC().Format(form), c.NotAfter.UTC().Format(form),
		oneLine(c.Subject.String()), oneLine(strings.Join(append(slices.Clone(c.DNSNames), addresses(c.IPAddresses)...), " ")), fingerprint(c.Raw))
	w.Write(bytes.TrimLeft(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}), "\n")) //nolint:errcheck // nobody to tell
}

func addresses(ips []net.IP) (list []string) {
	for _, ip := range ips {
		list = append(list, ip.String())
	}
	return list
}

// protect makes TLS of a connection to a viewer that listens, as its client, which
// is what x11vnc does: what listens is a stunnel, or a viewer behind one. Viewers
// that are clients of TLS wherever they wait for us are asked for VeNCrypt.
func (s *x11vncServer) protect(c net.Conn) (net.Conn, error) {
	if !s.cfg.TLS.On || s.cfg.TLS.VeNCrypt == x11vnc.VeNCryptForce || isSet("X11VNC_DISABLE_SSL_CLIENT_MODE") {
		return c, nil
	}
	cfg := &tls.Config{
		MinVersion:           tls.VersionTLS12,
		InsecureSkipVerify:   true, // names of viewers' hosts are in no certificate; see below
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return s.tls.GetCertificate(nil) },
	}
	if pool := s.clientCAs; pool != nil {
		cfg.VerifyConnection = func(st tls.ConnectionState) error {
			o := x509.VerifyOptions{Roots: pool, Intermediates: x509.NewCertPool(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
			for _, c := range st.PeerCertificates[1:] {
				o.Intermediates.AddCert(c)
			}
			_, err := st.PeerCertificates[0].Verify(o)
			return err
		}
	}
	t := tls.Client(c, cfg)
	c.SetDeadline(time.Now().Add(tlsLimit)) //nolint:errcheck // the handshake would tell
	if err := t.HandshakeContext(s.reverse.ctx); err != nil {
		c.Close()
		return nil, fmt.Errorf("TLS: %w", err)
	}
	return t, c.SetDeadline(time.Time{})
}

// tlsLimit is how long a viewer's TLS may take.
const tlsLimit = 20 * time.Second

// isSet reports whether a switch in the environment is on.
func isSet(name string) bool {
	v := os.Getenv(name)
	return v != "" && v != "0"
}
