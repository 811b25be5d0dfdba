# make demo   install what is missing, build, serve an X server with a desktop
# make test   install what is missing, check and test everything
# make help   the rest

SHELL := /bin/bash
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
GO = $(shell cat .cache/go-path 2>/dev/null || command -v go)
BUILD = CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w -X main.version=$(VERSION)"
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2

.PHONY: help demo test build deps-demo deps-test deps-bench check unit race purego page cross fuzz diff-x11vnc readme bench bench-encode bench-browser bench-scale clean

help:
	@sed -n 's/^# make /make /p' Makefile

# make build  build bin/framebridge
build:
	$(BUILD) -o bin/framebridge ./cmd/framebridge

demo: deps-demo build
	@.ci/demo

# Each step prints what it does; the first that fails ends it. race runs every
# package, the programs' end-to-end tests with real viewers among them.
test: deps-test
	$(MAKE) check cross purego page race

# What drives browsers, and noVNC.
NODE_MODULES = cd internal/web && { [ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-audit --no-fund >&2; }

deps-demo:
	@mkdir -p .cache && .ci/install demo > .cache/install.out && tail -n 1 .cache/install.out > .cache/go-path

deps-test:
	@mkdir -p .cache && .ci/install test > .cache/install.out && tail -n 1 .cache/install.out > .cache/go-path
	@$(NODE_MODULES)

# make check  gofmt, vet, staticcheck, tidy go.mod
check:
	@out=$$($$($(GO) env GOROOT)/bin/gofmt -l $$(git ls-files '*.go')); test -z "$$out" || { echo "gofmt: $$out"; exit 1; }
	$(GO) mod tidy -diff
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

# make unit   all tests, without the race detector
unit:
	$(GO) test ./...

race:
	$(GO) test -race -timeout 20m ./...

# make diff-x11vnc  command lines of real scripts through Debian's x11vnc and ours
diff-x11vnc: deps-test
	X11VNC_LINES=all $(GO) test -count=1 -run TestX11vncCommandLines ./cmd/framebridge

# make readme  write the table of x11vnc's options into README.md
readme:
	UPDATE_README=1 $(GO) test -count=1 -run TestReadme ./internal/x11vnc

purego:
	$(GO) test -tags purego ./internal/pix/... ./encode/...

# make page   the page's own tests, in Node and in a browser
page:
	cd internal/web && node --test browsertest/*.test.mjs

cross:
	CGO_ENABLED=0 GOOS=linux GOARCH=amd64 $(GO) build ./...
	CGO_ENABLED=0 GOOS=linux GOARCH=arm64 $(GO) build ./...

# make fuzz   every fuzz target, FUZZTIME each (default 30s)
FUZZTIME ?= 30s
fuzz:
	@set -e; for f in $$(git grep -l '^func Fuzz' -- '*_test.go'); do \
		for n in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\).*/\1/p' $$f); do \
			echo "$$f $$n"; $(GO) test -run '^$$' -fuzz "^$$n\$$" -fuzztime $(FUZZTIME) ./$$(dirname $$f); \
		done; \
	done

deps-bench:
	@mkdir -p .cache && .ci/install bench > .cache/install.out && tail -n 1 .cache/install.out > .cache/go-path

# make bench  the README's table, from one run of some minutes beside other servers
bench: deps-bench build
	bin/framebridge bench table $(BENCH_FLAGS) --html bin/bench.html --json bin/bench.json

# make bench-encode  all encoders on scenes and recordings, VP8 beside ffmpeg's libvpx and x264
bench-encode: deps-bench build
	bin/framebridge bench encode $(BENCH_FLAGS) --html bin/bench-encode.html testdata/recordings/*.fbr

# make bench-browser  what browsers cost the server, and how soon they show a change, beside noVNC
bench-browser: deps-bench build
	@$(NODE_MODULES)
	bin/framebridge bench browser $(BENCH_FLAGS) --html bin/bench-browser.html --json bin/bench-browser.json

# make bench-scale  how latency, CPU time, bytes and memory grow
bench-scale: deps-bench build
	bin/framebridge bench scale $(BENCH_FLAGS) --html bin/bench-scale.html

clean:
	rm -rf bin .cache
