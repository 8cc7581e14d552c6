package program

import "strings"

const (
	secretPrefix = "ARCP_"
	traceVar     = "TRACEPARENT"
)

// environment returns base without the variables that are the operator's, and with the job's trace.
func environment(base []string, traceparent string) []string {
	env := make([]string, 0, len(base)+1)
	for _, kv := range base {
		name, _, _ := strings.Cut(kv, "=")
		if !strings.HasPrefix(strings.ToUpper(name), secretPrefix) && name != traceVar && name != "TRACESTATE" {
			env = append(env, kv)
		}
	}
	if traceparent != "" {
		env = append(env, traceVar+"="+traceparent)
	}
	return env
}
