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
	// event: credential_rotated, a value of 54 letters that prints as [redacted]
	// result: "asked"
	// key for ask@1.0.0 with [USD:5.00]: revoked true
	// key for ask@1.0.0 with [USD:5.00]: revoked true
}
