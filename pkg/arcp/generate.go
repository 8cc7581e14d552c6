package arcp

//go:generate go run github.com/arcpkit/arcp/cmd/arcpgen
