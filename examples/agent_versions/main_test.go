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
	// greet: 2 versions, default 1.10.0
	// greet: "Hello, Ada (greet@1.10.0)"
	// greet@1.9.0: "Good day, Ada (greet@1.9.0)"
	// greet@3.0.0: AGENT_VERSION_NOT_AVAILABLE {"available":["1.10.0","1.9.0"]}
}
