// Package runtime runs agents for clients that speak ARCP.
//
// A Runtime accepts connections, authenticates them, and runs jobs. A job belongs to the runtime, not to the connection that
// submitted it: it writes to its own log, sessions read numbered views of logs, links write what the views hold.
// Nothing an observer does, or leaves undone, holds a job up.
//
// The standard library has a package of the same name; where both are needed import this one as arcprt.
package runtime
