package program

import (
	"strconv"
	"strings"
)

const (
	secretPrefix = "ARCP_"
	traceVar     = "TRACEPARENT"
	attemptVar   = secretPrefix + "ATTEMPT"
)

// environment returns base without the variables that are the operator's, and with the job's trace and the number of the run.
func environment(base []string, traceparent string, attempt int) []string {
	env := make([]string, 0, len(base)+2)
	for _, kv := range base {
		name, _, _ := strings.Cut(kv, "=")
		if !strings.HasPrefix(strings.ToUpper(name), secretPrefix) && name != traceVar && name != "TRACESTATE" {
			env = append(env, kv)
		}
	}
	if traceparent != "" {
		env = append(env, traceVar+"="+traceparent)
	}
	return append(env, attemptVar+"="+strconv.Itoa(attempt))
}
