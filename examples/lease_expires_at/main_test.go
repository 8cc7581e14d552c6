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
	// indexing
	// refused: LEASE_EXPIRED
	// error LEASE_EXPIRED retryable: false
}
