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
	// event: status
	// cancel taken
	// cancelled with CANCELLED
	// again: INVALID_REQUEST
}
