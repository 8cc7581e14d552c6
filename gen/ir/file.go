package ir

// File is one generated file.
type File struct {
	Path string // slash-separated, from the root of the repository
	Data []byte
}
