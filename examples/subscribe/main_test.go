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
	// cancel: PERMISSION_DENIED
	// 1 fetch
	// 2 compile
	// 3 test
	// 4 package
	// success "build-17.tar"
}
