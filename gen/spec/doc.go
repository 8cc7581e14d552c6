// Package spec reads the YAML description of the protocol and turns it into an ir.Protocol.
//
// It checks all that can be checked before code is written, and reports everything it finds at once, each finding with
// the file, line and column, the line itself and a caret. spec/README.md says how an entry is written.
package spec
