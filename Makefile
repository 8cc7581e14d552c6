# Thin names for commands that work without make, too.
.PHONY: demo test race sim crash lease-pairs generate check lint fmt bench ci

SEEDS ?= 10000
KILLS ?= 500
PAIRS ?= 10000000

demo:     ; go run ./cmd/arcp demo
test:     ; go test ./...
race:     ; go test -race -short ./...
sim:      ; go test -c -o .tmp/bin/sim.test ./internal/sim && .tmp/bin/sim.test -test.timeout 0 -seeds $(SEEDS)
lease-pairs: ; go test -c -o .tmp/bin/glob.test ./internal/glob && .tmp/bin/glob.test -test.timeout 0 -test.run Pairs -pairs $(PAIRS)
crash:    ; go run ./internal/crash -kills $(KILLS)
generate: ; go generate ./...
check:    ; go run ./cmd/arcpgen -check
lint:     ; go -C tools build -o ../.tmp/bin/ tool && .tmp/bin/golangci-lint run
fmt:      ; go -C tools build -o ../.tmp/bin/ tool && .tmp/bin/gofumpt -w .
bench:    ; go run ./bench
ci:       ; .ci/run
