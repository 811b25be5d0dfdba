package main

import (
	"strings"
	"testing"
)

// overWebRTC makes the page use WebRTC.
const overWebRTC = `await page.addInitScript(() => localStorage.setItem('framebridge', JSON.stringify({transport: %v, stats: true})))`

// transport waits until the statistics say what carries the picture.
func (c *chromium) transport(want string) {
	c.t.Helper()
	poll(c.t, "the transport", func() (bool, string) {
		var got string
		c.do(&got, `return await page.locator('#stats').innerText()`)
		return strings.Contains(got, want), got
	})
}

// TestChromiumWebRTC: pages over UDP, over TCP through a forwarder with another
// port, and, because they are no secure context, by themselves.
func TestChromiumWebRTC(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]struct {
		args      []string
		forwarded bool
		host      string // other name of the server
		wanted    string
		transport string
	}{
		"UDP":       {nil, false, "", "webrtc", "WebRTC (UDP)"},
		"forwarder": {[]string{"--webrtc-udp", "off"}, true, "", "webrtc", "WebRTC (TCP)"},
		"insecure":  {[]string{"--webrtc-udp", "off", "--web-host", "desktop.test"}, false, "desktop.test", "auto", "WebRTC"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesktop(t, 640, 480)
			s := serve(t, d.x, append([]string{"--rfb-delay", "5s"}, how.args...)...)
			l := d.listen()
			url := s.http
			if how.forwarded {
				url = "http://localhost:" + forward(t, s.shared) + "/"
			}
			c := startChromium(t, map[string]any{"args": []string{"--host-resolver-rules=MAP desktop.test 127.0.0.1"}})
			if how.host != "" {
				url = strings.Replace(url, "127.0.0.1", how.host, 1)
			}
			c.do(nil, overWebRTC, how.wanted)
			want := d.paint(0xff0000, 0x00c000, 0x2040ff, 0xffffff, 0x000000, 0x123456)
			c.open(url)
			c.transport(how.transport)
			c.shows(want)
			for range 5 {
				c.shows(d.paint(0xffff00, 0x808080, 0x00ffff, 0xff00ff))
				c.shows(d.paint(0x00ff00, 0x0000ff, 0xff0000, 0x404040))
			}
			c.do(nil, `await page.mouse.move(...await lib.at(100, 200))`)
			l.heard("move 100,200")
			c.do(nil, `await page.mouse.click(...await lib.at(120, 210), {button: 'right'}); await page.keyboard.press('a')`)
			l.heard("move 120,210", "button 3 at 120,210", "button 3 up", "press 61", "release 61")
			c.do(nil, `await page.goto('about:blank')`)
			d.nothingHeld()
		})
	}
}
