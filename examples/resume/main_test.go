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
	// first process, connection 1: 1
	// first process, connection 1: 2
	// first process, connection 2: 3
	// second process: 3
	// second process: 4
	// second process: 5
	// second process: 6
	// "counted"
}
