package main

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	arcprt "github.com/arcpkit/arcp/pkg/runtime"
)

// Each limit is a flag, which sets it and nothing else, and of which --help says the default.
func TestLimitFlags(t *testing.T) {
	t.Parallel()
	var defaults arcprt.Limits
	for i, row := range defaults.Table() {
		var l arcprt.Limits
		f := pflag.NewFlagSet("", pflag.ContinueOnError)
		limitFlags(f, &l)
		value := "7"
		switch {
		case row.Duration != nil:
			value = "7s"
		case row.Unit == "bytes":
			value = "7KiB"
		}
		if err := f.Parse([]string{"--" + row.Flag, value}); err != nil {
			t.Errorf("--%s %s: %v", row.Flag, value, err)
		}
		for k, set := range l.Table() {
			got := int64(0)
			if set.Duration != nil {
				got = int64(*set.Duration / time.Second)
			} else {
				got = *set.Number
			}
			want := int64(0)
			switch {
			case k == i && row.Unit == "bytes":
				want = 7 << 10
			case k == i:
				want = 7
			}
			if got != want {
				t.Errorf("--%s %s sets %s to %d, want %d", row.Flag, value, set.Name, got, want)
			}
		}
		err := f.Parse([]string{"--" + row.Flag, "off"})
		if off := row.Duration != nil && *l.Table()[i].Duration < 0 || row.Number != nil && *l.Table()[i].Number < 0; off != (row.Negative != "") || off != (err == nil) {
			t.Errorf("--%s off: %v, and it is off: %v", row.Flag, err, off)
		}
	}
}

func TestLimitValues(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args string
		want string // of the error; empty for none
	}{
		{"--principal-bytes 1", ""},
		{"--principal-bytes 3GiB", ""},
		{"--principal-bytes 0", `"0" is not a number of bytes as 1048576 or 64MiB above 0, or off`},
		{"--principal-bytes 9223372036854775807TiB", "or off"},
		{"--principal-bytes 1.5MiB", "or off"},
		{"--frame-in -1", `"-1" is not a number of bytes as 1048576 or 64MiB above 0`},
		{"--idle 1h30m", ""},
		{"--idle 30", `"30" is not a duration as 30s or 2h30m above 0, or off`},
		{"--sessions -5", `"-5" is not a number above 0`},
	} {
		cmd := newServe(streams{strings.NewReader(""), io.Discard, io.Discard})
		err := cmd.ParseFlags(strings.Fields(c.args))
		if (err == nil) != (c.want == "") || err != nil && !strings.HasSuffix(flagError(cmd, err).Error(), c.want+"\nsee serve --help") {
			t.Errorf("%s: %v, want %q", c.args, err, c.want)
		}
	}
}

// What --help says of a limit is its default as it would be written.
func TestLimitDefaults(t *testing.T) {
	t.Parallel()
	f := newServe(streams{strings.NewReader(""), io.Discard, io.Discard}).Flags()
	for name, want := range map[string]string{"idle": "1h", "resume-window": "10m", "handshake": "10s", "principal-bytes": "8GiB", "frame-in": "4MiB", "sessions": "10000"} {
		if got := f.Lookup(name).DefValue; got != want {
			t.Errorf("--%s has the default %s, want %s", name, got, want)
		}
	}
}
