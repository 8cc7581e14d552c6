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
	// the lease does not allow fs.read on "/secret"
	// the lease does not allow fs.read on "/notes/../secret"
	// the lease does not allow fs.read on where "/notes/link" leads
	// {"/notes/today":"hello"}
}
