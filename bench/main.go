// Command bench measures the toolkit against fixed references in the same run and prints ratios.
//
// Nanoseconds depend on the machine, ratios much less: each row is taken in rounds that alternate between what is measured and what it
// is held against, and the median round counts. A row ends with ok, or with short when it misses what it must reach.
//
//	go run ./bench [-json] [-only NAME] [-list]
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

func main() {
	asJSON := flag.Bool("json", false, "print one JSON object a row")
	only := flag.String("only", "", "measure only the rows whose name contains this")
	list := flag.Bool("list", false, "print the names of the rows and measure nothing")
	flag.Parse()
	if flag.Arg(0) == roleRuntime {
		if err := playRuntime(); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(2)
		}
		return
	}
	short, err := run(os.Stdout, *only, *asJSON, *list)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	if short {
		os.Exit(1)
	}
}

// row is one line of the table.
type row struct {
	name    string
	op      string // >= or <=
	must    float64
	measure func() (figure string, ratio float64, err error)
}

func (r *row) ok(ratio float64) bool {
	if r.op == "<=" {
		return ratio <= r.must
	}
	return ratio >= r.must
}

func rows() []row {
	return slices.Concat(codecRows(), streamRows(), secureRows(), chunkRows(), submitRows(), submitterRows(), subscriberRows(),
		unreadRows(), durableRows(), idleRows(), keptRows(), growthRows())
}

func run(w io.Writer, only string, asJSON, list bool) (short bool, err error) {
	for _, r := range rows() {
		if !strings.Contains(r.name, only) {
			continue
		}
		if list {
			fmt.Fprintln(w, r.name)
			continue
		}
		before := runtime.NumGoroutine()
		figure, ratio, err := r.measure()
		if err == nil {
			err = settle(before)
		}
		if err != nil {
			return short, fmt.Errorf("%s: %w", r.name, err)
		}
		short = short || !r.ok(ratio)
		if err := r.print(w, figure, ratio, asJSON); err != nil {
			return short, err
		}
	}
	return short, nil
}

// settle waits until no more goroutines are left than before a row, so that none of them is measured with the next.
func settle(before int) error {
	for end := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			return fmt.Errorf("%d goroutines were left behind", runtime.NumGoroutine()-before)
		}
	}
	return nil
}

func (r *row) print(w io.Writer, figure string, ratio float64, asJSON bool) error {
	verdict := "ok"
	if !r.ok(ratio) {
		verdict = "short"
	}
	if !asJSON {
		_, err := fmt.Fprintf(w, "%-42s  %14s  ratio=%.2f  must%s%g  %s\n", r.name, figure, ratio, r.op, r.must, verdict)
		return err
	}
	return json.NewEncoder(w).Encode(map[string]any{
		"row": r.name, "figure": figure, "ratio": ratio, "op": r.op, "must": r.must, "verdict": verdict,
	})
}
