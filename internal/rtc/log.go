package rtc

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/pion/logging"
)

// logger gives pion's logs to ours, all as debug: what matters to whoever runs the
// program is logged by us. It makes loggers, and is one.
type logger struct {
	log   *slog.Logger
	scope string
}

func (l logger) NewLogger(scope string) logging.LeveledLogger { return logger{l.log, scope} }

func (l logger) Trace(string)          {}
func (l logger) Tracef(string, ...any) {}

func (l logger) Debug(string)          {}
func (l logger) Debugf(string, ...any) {}

func (l logger) Info(msg string)  { l.put(msg) }
func (l logger) Warn(msg string)  { l.put(msg) }
func (l logger) Error(msg string) { l.put(msg) }

func (l logger) Infof(format string, args ...any)  { l.put(format, args...) }
func (l logger) Warnf(format string, args ...any)  { l.put(format, args...) }
func (l logger) Errorf(format string, args ...any) { l.put(format, args...) }

func (l logger) put(format string, args ...any) {
	if !l.log.Enabled(context.Background(), slog.LevelDebug) {
		return
	}
	if len(args) > 0 {
		format = fmt.Sprintf(format, args...)
	}
	l.log.Debug("webrtc: "+format, "part", l.scope)
}
