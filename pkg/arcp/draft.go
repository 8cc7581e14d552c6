package arcp

// Draft returns the code to use with a peer that knows the codes of the draft only (§12).
func (c ErrorCode) Draft() ErrorCode {
	switch c {
	case CodeRateLimited, CodeBackpressure:
		return CodeInternalError
	case CodeProtocolViolation:
		return CodeInvalidRequest
	}
	return c
}
