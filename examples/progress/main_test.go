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
	// [##........] 1 of 4 blocks
	// [#####.....] 2 of 4 blocks
	// [#######...] 3 of 4 blocks
	// [##########] 4 of 4 blocks
	// "e1797ada"
}
