// Package arcp holds the messages of ARCP, the Agent Runtime Control Protocol: their Go types, codecs, validators and
// rules, and the value types they are made of.
//
// What stands in *_gen.go is written by arcpgen from the YAML in spec/; read those files for the messages, and
// spec/README.md to change them. Go names are wire names: job.submit is JobSubmit, the body of the event kind progress is
// ProgressBody, the code JOB_NOT_FOUND is CodeJobNotFound.
//
// Decode reads a frame strictly (§5): exact and unique member names, UTF-8, bounded depth. It checks shape only; Validate
// checks the rules of values. Messages and kinds that this package does not know survive byte for byte.
package arcp
