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
	// x-vendor.acme.row {"table":"sales/2026","key":0}
	// x-vendor.acme.row {"table":"sales/2026","key":1}
	// PERMISSION_DENIED: the lease does not allow x-vendor.acme.query on "salaries"
}
