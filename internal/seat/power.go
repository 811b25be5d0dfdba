package seat

import (
	"context"
	"encoding/binary"

	"framebridge/internal/x11"
)

// The monitor's power (Display Power Management Signaling Extension, "DPMS", the X
// Consortium's protocol specification).
const (
	dpmsCapable    = 1
	dpmsEnable     = 4
	dpmsDisable    = 5
	dpmsForceLevel = 6
	dpmsInfo       = 7

	levelOn  = 0
	levelOff = 3
)

// capable returns why the monitor's power cannot be controlled.
func (s *seat) capable(ctx context.Context, opcode byte) error {
	r, err := s.call(ctx, x11.Request(nil, opcode, dpmsCapable, 4), 9)
	if err == nil && r[8] == 0 {
		err = x11.NoExtensionError("DPMS for its monitor, though it has the")
	}
	return err
}

// powerState is what DPMSInfo answers.
type powerState struct {
	level   uint16
	enabled bool
}

func parsePower(r []byte) powerState {
	return powerState{level: binary.LittleEndian.Uint16(r[8:]), enabled: r[10] != 0}
}

// want returns what has to change: enable turns DPMS on, force sets the level.
func (p Power) want(there bool, now powerState) (enable, force bool, level uint16) {
	switch {
	case p == PowerOn && there:
		// Without DPMS enabled the monitor is on.
		return false, now.enabled && now.level != levelOn, levelOn
	case p == PowerOff, p == PowerAwayOnly && there:
		return !now.enabled, !now.enabled || now.level != levelOff, levelOff
	}
	return false, false, 0
}

// power looks after the monitor's power.
func (s *seat) power(ctx context.Context, there bool) {
	if s.dpms == 0 {
		return
	}
	r, err := s.call(ctx, x11.Request(nil, s.dpms, dpmsInfo, 4), 11)
	if err != nil {
		s.logged("the monitor's power", err)
		return
	}
	enable, force, level := s.o.Power.want(there, parsePower(r))
	if enable {
		s.powerForced = true
		s.c.Queue(x11.Request(nil, s.dpms, dpmsEnable, 4))
	}
	if force {
		s.c.Queue(appendForce(nil, s.dpms, level))
	}
	s.c.Flush()
}

func appendForce(b []byte, opcode byte, level uint16) []byte {
	b = x11.Request(b, opcode, dpmsForceLevel, 8)
	b = binary.LittleEndian.AppendUint16(b, level)
	return append(b, 0, 0)
}

// powerEnd disables DPMS if it was not enabled before, which turns the monitor on.
func (s *seat) powerEnd(ctx context.Context) {
	if s.powerForced {
		s.logged("the monitor's power", s.c.Call(ctx, x11.Request(nil, s.dpms, dpmsDisable, 4)))
	}
}
