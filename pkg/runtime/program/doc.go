// Package program makes any program an agent: one process a job, JSON lines on its standard streams.
//
// The program reads lines from its standard input. The first is the job's input, "null" when there is none; after that
// comes one line for each question it asked, in order. It writes lines to its standard output, one JSON object each:
//
//	{"kind":"progress","body":{"current":1,"total":3}}               an event
//	{"authorize":{"capability":"fs.read","target":"/data/a.csv"}}    a question
//	{"call":{"tool":"search","args":{"q":"x"}}}                       another: run a tool
//	{"reserve":{"metric":"cost.llm","price":{"USD":0.50}}}           another: set money aside
//	{"settle":{"hold":"1","cost":{"USD":0.31}}}                      another: it was spent
//	{"result":{"rows":42}}                                           the end: any JSON value
//	{"error":{"code":"INVALID_REQUEST","message":"no such table"}}   the other end
//
// The answer to a question is {"authorized":true}, with the "result" of a call or the "hold" of a reservation, or {"authorized":false,"code":…,"message":…}. What the program writes
// to its standard error becomes log events. docs/agents.md tells the whole.
//
// A job has its own process group: when it ends, however it ends, the group is told to terminate and, after a grace,
// killed. A process that leaves the group, as daemons do, is out of reach.
package program
