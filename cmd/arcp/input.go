package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
)

// argument returns the text of an argument: itself, a file's after @, or all of standard input for "-". What it is read from may never
// end, so that is done aside: the reader of an input that ctx gave up stays until the process ends.
func argument(ctx context.Context, what, arg string, in io.Reader) ([]byte, error) {
	if arg != "-" && !strings.HasPrefix(arg, "@") {
		return []byte(arg), nil
	}
	type input struct {
		text []byte
		err  error
	}
	came := make(chan input, 1)
	go func() {
		text, err := readInput(arg, in)
		came <- input{text, err}
	}()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case i := <-came:
		if i.err != nil {
			return nil, usagef("%s: %w", what, i.err)
		}
		return i.text, nil
	}
}

func readInput(arg string, in io.Reader) ([]byte, error) {
	if arg != "-" {
		f, err := os.Open(arg[1:]) // which waits for a writer when it is a fifo
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxInput+1))
	if err == nil && len(text) > maxInput {
		err = fmt.Errorf("it is larger than %d bytes", maxInput)
	}
	return text, err
}
