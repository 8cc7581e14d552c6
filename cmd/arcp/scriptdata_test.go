package main

import (
	"bytes"
	"os"

	"github.com/rogpeppe/go-internal/testscript"
)

// flip FILE TEXT: changes one bit of a file wherever the text stands in it, at the end of the text. It must stand there.
func flipCommand(ts *testscript.TestScript, _ bool, args []string) {
	path, text := ts.MkAbs(args[0]), []byte(args[1])
	b, err := os.ReadFile(path)
	ts.Check(err)
	found := false
	for at := bytes.Index(b, text); at >= 0; at = bytes.Index(b, text) {
		b[at+len(text)-1] ^= 1
		found = true
	}
	if !found {
		ts.Fatalf("%s does not hold %q", args[0], text)
	}
	ts.Check(os.WriteFile(path, b, 0o600))
}
