// Package ir holds what the protocol description means, ready to be written down.
//
// gen/spec builds a Protocol from the YAML; the emitters (gen/golang, gen/schema, gen/text) only write out what stands in
// it and decide nothing. Everything is in a fixed order (that of the spec), names are resolved, and pointers are shared:
// two fields of one enum point to the same *Enum. A Protocol is read-only once built.
package ir
