// Package golang writes the Go of the protocol: types, codecs, validators, tables.
//
// It is the only importer of jennifer. Each spec file x.yaml gives x_gen.go (what people read) and x_codec_gen.go (what
// machines run). Codecs are straight code over internal/jsonx: appending encoders, and decoders that first match
// members in the order we write them and then fall back to a loop over names.
package golang
