package arcp

import "strings"

// traceIDLength is the length of a trace id in hex digits.
const traceIDLength = 32

// ParseTraceID returns the trace id in s, which is one itself (32 lower case hex digits) or a W3C traceparent, and
// whether there is one. The id of only zeros is none (§11).
func ParseTraceID(s string) (string, bool) {
	id := s
	if len(s) != traceIDLength {
		parts := strings.Split(s, "-")
		if len(parts) != 4 || len(parts[0]) != 2 || len(parts[2]) != 16 || len(parts[3]) != 2 || parts[0] == "ff" {
			return "", false
		}
		if !isLowerHex(parts[0]) || !isLowerHex(parts[2]) || !isLowerHex(parts[3]) || isZeros(parts[2]) {
			return "", false
		}
		id = parts[1]
	}
	if len(id) != traceIDLength || !isLowerHex(id) || isZeros(id) {
		return "", false
	}
	return id, true
}

// Traceparent returns the W3C header of a span in a trace, sampled; "" when traceID is not a trace id or spanID not 16
// lower case hex digits.
func Traceparent(traceID, spanID string) string {
	s := "00-" + traceID + "-" + spanID + "-01"
	if _, ok := ParseTraceID(s); !ok {
		return ""
	}
	return s
}

func isLowerHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f') {
			return false
		}
	}
	return true
}

func isZeros(s string) bool { return strings.Trim(s, "0") == "" }
