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
	// "a lamp is on its way", after 2 connections
	// "a lamp is on its way", the same job: true
	// two lamps: DUPLICATE_KEY
	// shipped: 1
}
