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
	// 1 log: a longer word: one
	// 2 log: a longer word: time
	// 3 log: a longer word: streams
	// 4 metric: words = 7
	// success {"words":7,"longest":"streams"}
}
