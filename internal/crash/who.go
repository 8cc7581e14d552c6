package main

import (
	"fmt"
	"strings"

	"github.com/arcpkit/arcp/pkg/arcp"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
)

// principals are who the clients of a round are; the first has several.
func principals() []string { return []string{"ada", "bob"} }

// tokenOf is a principal's token. The servers listen on this machine, for the time of a test, and hold what the test made.
func tokenOf(principal string) string { return "token-of-" + principal + "-in-a-crash-test" }

// principalOf is the way back.
func principalOf(token string) string {
	return strings.TrimSuffix(strings.TrimPrefix(token, "token-of-"), "-in-a-crash-test")
}

func verifier() arcprt.StaticTokens {
	known := arcprt.StaticTokens{}
	for _, p := range principals() {
		known[arcp.HashToken(tokenOf(p))] = p
	}
	return known
}

// tokenLines are the principals as `arcp serve --token-file` reads them.
func tokenLines() string {
	var b strings.Builder
	for _, p := range principals() {
		fmt.Fprintln(&b, p, arcp.HashToken(tokenOf(p)))
	}
	return b.String()
}
