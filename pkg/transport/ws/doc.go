// Package ws carries frames over WebSocket (§4.1): a Dialer for clients, an Endpoint for servers, and the listening that
// refuses to speak in clear to the world. It is the only importer of the WebSocket library.
//
// Many frames leave in one write: the library writes into a buffer of ours, which Flush sends. An idle connection holds
// no buffer for writing and one of a kilobyte for reading, and the HTTP server's own are given back, for Endpoint
// returns from the handler when the upgrade is done.
package ws
