// Package arcp holds the messages of ARCP, the Agent Runtime Control Protocol: their Go types, codecs, validators and
// rules, and the value types they are made of. It opens no connection: package client talks to a runtime, package runtime is one.
//
// # Where to begin
//
// Who writes a client or an agent needs
//
//   - [JobSubmit], the order; its Input is a [RawJSON], its LeaseRequest a [Lease];
//   - [Event], what a client's job yields, and the bodies it carries: [LogBody], [ProgressBody], [StatusBody], [MetricBody] and so on,
//     of [EventBody]; an agent emits the same bodies;
//   - [JobResult], how a job ended well, and [Error] with its [ErrorCode], how it failed: errors.Is(err, arcp.CodeTimeout), [CodeOf],
//     [IsRemote].
//
// Who reads and writes frames needs [Envelope] with [Decode], [Envelope.AppendJSON] and [Envelope.Validate], and [Payload], what is
// in one. [RuleOf] and [KindRuleOf] say who may send what.
//
// Besides there are [Secret], which shows itself to nobody, [Amount], which is exact, [TokenHash], [NewID], and the limits.
//
// # Names
//
// Go names are wire names: job.submit is JobSubmit, the body of the event kind progress is ProgressBody, the code
// JOB_NOT_FOUND is CodeJobNotFound. What stands in *_gen.go is written by arcpgen from the YAML in spec/; read those files or
// docs/messages.md for the messages, and spec/README.md to change them.
//
// # Reading
//
// Decode reads a frame strictly (§5): exact and unique member names, UTF-8, bounded depth. It checks shape only; Validate
// checks the rules of values. Messages and kinds that this package does not know survive byte for byte.
package arcp
