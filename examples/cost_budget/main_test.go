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
	// cost.search 0.35 USD
	// cost.budget.remaining 0.65 USD
	// cost.search 0.35 USD
	// cost.budget.remaining 0.30 USD
	// refused: BUDGET_EXHAUSTED
	// "2 of 3 answered"
}
