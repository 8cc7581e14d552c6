# Thin names for commands that work without make, too.
.PHONY: demo test race generate check lint fmt bench ci

demo:     ; go run ./cmd/arcp demo
test:     ; go test ./...
race:     ; go test -race -short ./...
generate: ; go generate ./...
check:    ; go run ./cmd/arcpgen -check
lint:     ; go -C tools build -o ../.tmp/bin/ tool && .tmp/bin/golangci-lint run
fmt:      ; go -C tools build -o ../.tmp/bin/ tool && .tmp/bin/gofumpt -w .
bench:    ; go run ./bench
ci:       ; .ci/run
