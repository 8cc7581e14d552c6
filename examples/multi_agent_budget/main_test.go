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
	// ["who is answered","what costs too much","when is answered","1 not asked"]
	// planner@1.0.0 of [USD:0.50]: 0.15 left
	// worker@1.0.0 of [USD:0.20]: 0.15 left
	// worker@1.0.0 of [USD:0.20]: 0.20 left
	// worker@1.0.0 of [USD:0.30]: 0.00 left
}
