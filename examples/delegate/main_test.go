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
	// refused: LEASE_SUBSET_VIOLATION
	// delegated to reader@1.0.0 with map[fs.read:[/books/one/*]]
	// the child has ended
	// "read: [\"/books/one/draft.md\"]"
	// editor@1.0.0: success, delegated: false
	// reader@1.0.0: success, delegated: true
}
