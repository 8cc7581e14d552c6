// Command crash kills a runtime, with SIGKILL and at moments that a seed decides, and holds what it says afterwards against what it had
// said before:
//
//	make crash KILLS=500
//	go run ./internal/crash -kills 500 -seed 7
//	go run ./internal/crash -sweep=0 -kills 25 -keep -dir DIR
//
// Three forms. The sweep ends a small runtime of its own, on the same store, at each commit of one conversation, before the commit and
// after it, and sometimes again while it starts. A second sweep does so while jobs mint keys at a gateway, which is the harness itself and in the
// end must have none that is good. The rounds run the real binary, `arcp serve --data`, with several clients and with programs as agents; the server is killed while it works, while it starts and while it drains, and its clients are killed, too.
//
// Each client is a process that keeps a diary: every frame, synced to the disk before anybody may act on it, and every event that it was
// handed. In the end, when the runtime has come to rest, all jobs are read from their beginning, and the diaries must hold: see judge.
package main
