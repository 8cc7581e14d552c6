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
	// the lease does not allow fs.read on "/work/../secret"
	// the lease does not allow fs.read on where "/work/link" leads
	// {"/work/notes":"hello"}
}
