package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	arcprt "github.com/arcpkit/arcp/pkg/runtime"
)

// limitFlags makes a flag of each limit of a runtime.
func limitFlags(f *pflag.FlagSet, l *arcprt.Limits) {
	for _, row := range l.Table() {
		v := &limitFlag{row}
		usage := strings.TrimSuffix(lowerFirst(row.Doc), ".")
		if row.Negative != "" {
			usage += "; off is " + row.Negative
		}
		f.Var(v, row.Flag, usage)
		group(f, "Limits: "+lowerFirst(row.Group), row.Flag)
	}
}

func lowerFirst(s string) string {
	r := []rune(s)
	r[0] = unicode.ToLower(r[0])
	return string(r)
}

// limitFlag is the flag of one limit. Off is its negative value.
type limitFlag struct{ row arcprt.Limit }

// Type names what the flag takes.
func (v *limitFlag) Type() string {
	switch {
	case v.row.Duration != nil:
		return "DURATION"
	case v.row.Unit == "bytes":
		return "BYTES"
	}
	return "NUMBER"
}

// String is the default until the flag is set.
func (v *limitFlag) String() string {
	if v.row.Name == "" {
		return "" // pflag asks a zero value
	}
	if d := v.row.Duration; d != nil {
		if *d == 0 {
			return shortDuration(time.Duration(v.row.Default) * time.Second)
		}
		return d.String()
	}
	n := *v.row.Number
	if n == 0 {
		n = v.row.Default
	}
	if v.row.Unit == "bytes" {
		return sizeText(n)
	}
	return strconv.FormatInt(n, 10)
}

// Set takes what stands on the command line.
func (v *limitFlag) Set(text string) error {
	if text == "off" && v.row.Negative != "" {
		if v.row.Duration != nil {
			*v.row.Duration = -1
		} else {
			*v.row.Number = -1
		}
		return nil
	}
	n, err := v.parse(text)
	if err != nil || n <= 0 {
		return fmt.Errorf("%q is not %s above 0%s", text, v.example(), v.orOff())
	}
	if v.row.Duration != nil {
		*v.row.Duration = time.Duration(n)
	} else {
		*v.row.Number = n
	}
	return nil
}

func (v *limitFlag) parse(text string) (int64, error) {
	switch {
	case v.row.Duration != nil:
		d, err := time.ParseDuration(text)
		return int64(d), err
	case v.row.Unit == "bytes":
		return parseSize(text)
	}
	return strconv.ParseInt(text, 10, 64)
}

func (v *limitFlag) example() string {
	switch {
	case v.row.Duration != nil:
		return "a duration as 30s or 2h30m"
	case v.row.Unit == "bytes":
		return "a number of bytes as 1048576 or 64MiB"
	}
	return "a number"
}

func (v *limitFlag) orOff() string {
	if v.row.Negative == "" {
		return ""
	}
	return ", or off"
}

// sizes are the units of bytes, largest first.
var sizes = [...]struct {
	name string
	unit int64
}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"", 1}}

// parseSize reads a number of bytes, with or without a unit.
func parseSize(text string) (int64, error) {
	for _, s := range sizes {
		digits, ok := strings.CutSuffix(text, s.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || n > (1<<63-1)/s.unit {
			return 0, strconv.ErrRange
		}
		return n * s.unit, nil
	}
	return 0, nil
}

func sizeText(n int64) string {
	for _, s := range sizes {
		if n%s.unit == 0 {
			return strconv.FormatInt(n/s.unit, 10) + s.name
		}
	}
	return ""
}

// shortDuration is a duration without its parts that are zero.
func shortDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

const groupAnnotation = "arcp_group"

// group puts flags under a heading of their own in --help.
func group(f *pflag.FlagSet, heading string, names ...string) {
	for _, name := range names {
		flag := f.Lookup(name)
		if flag.Annotations == nil {
			flag.Annotations = map[string][]string{}
		}
		flag.Annotations[groupAnnotation] = []string{heading}
	}
}

// helpWidth is where the lines of a grouped --help are broken.
const helpWidth = 110

// groupedUsage is cobra's usage with the flags under their headings, in the order they were declared.
func groupedUsage(cmd *cobra.Command) error {
	out := cmd.OutOrStderr()
	fmt.Fprintf(out, "Usage:\n  %s\n\nExamples:\n%s\n", cmd.UseLine(), cmd.Example)
	heads := []string{"Flags"}
	sets := map[string]*pflag.FlagSet{}
	cmd.LocalFlags().SortFlags = false
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		head := heads[0]
		if g := f.Annotations[groupAnnotation]; len(g) > 0 {
			head = g[0]
		}
		if sets[head] == nil {
			sets[head] = pflag.NewFlagSet("", pflag.ContinueOnError)
			sets[head].SortFlags = false
			if head != heads[0] {
				heads = append(heads, head)
			}
		}
		sets[head].AddFlag(f)
	})
	for _, head := range heads {
		if set := sets[head]; set != nil {
			fmt.Fprintf(out, "\n%s:\n%s", head, set.FlagUsagesWrapped(helpWidth))
		}
	}
	return nil
}
