// Package e2e tests the runtime and the client together over real sockets. It holds tests only.
package e2e
