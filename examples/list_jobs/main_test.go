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
	// all, the oldest first:
	//   half@1.0.0 success
	//   half@1.0.0 error
	//   wait@1.0.0 running
	// running:
	//   wait@1.0.0 running
	// failed jobs of half:
	//   half@1.0.0 error
}
