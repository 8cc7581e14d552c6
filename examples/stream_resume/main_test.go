package main

import (
	"context"
	"fmt"
	"os"
)

func Example() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// connection 1 is cut
	// 5000 lines, 188890 bytes over 2 connections
}
