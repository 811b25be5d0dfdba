// Package bench measures VNC servers as a viewer sees them: programs draw on a
// real X display, a strict viewer notes when what was drawn is in its
// framebuffer, and the processes' CPU time is read from /proc.
//
// A server under test is a command line. Servers that are installed are run one
// after the other on the same machine in the same run, because only ratios
// within one run mean anything: machines differ, and so does one machine from
// one hour to the next.
package bench
