//go:build unix

package transport_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/arcpkit/arcp/pkg/transport"
)

// The test binary is its own child: this variable says what kind.
const childVar = "TRANSPORT_TEST_CHILD"

func TestMain(m *testing.M) {
	if kind := os.Getenv(childVar); kind != "" {
		child(kind)
		return
	}
	goleak.VerifyTestMain(m)
}

func child(kind string) {
	switch kind {
	case "fail":
		fmt.Fprintln(os.Stderr, "going down")
		os.Exit(3)
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
		fallthrough
	case "sleepy":
		grand := exec.Command("sleep", "1000")
		grand.Stderr = os.Stderr
		if err := grand.Start(); err != nil {
			os.Exit(4)
		}
		fmt.Println("{}")
		time.Sleep(time.Hour) // not select{}: with nothing else alive that is a deadlock to the runtime
	case "chatty":
		for {
			fmt.Println(strings.Repeat("x", 1000))
		}
	case "echo":
		c := transport.Stdio(nil)
		fmt.Println("a stray print")
		for {
			f, err := c.Read(nil)
			if errors.Is(err, io.EOF) {
				os.Exit(0)
			}
			if err != nil || c.Write(f) != nil || c.Flush() != nil {
				os.Exit(5)
			}
		}
	case "close":
		c := transport.Stdio(nil)
		time.AfterFunc(10*time.Millisecond, func() { _ = c.Close("") })
		_, err := c.Read(nil)
		fmt.Fprintln(os.Stderr, err)
		os.Exit(6)
	}
}

func command(kind string, stderr io.Writer) *transport.Command {
	return &transport.Command{
		Args: []string{os.Args[0]}, Env: append(os.Environ(), childVar+"="+kind),
		Stderr: stderr, Grace: 100 * time.Millisecond, Principal: "parent",
	}
}

// guards J7: what a child prints besides goes to its standard error.
func TestCommandEcho(t *testing.T) {
	t.Parallel()
	var stderr bytes.Buffer
	cmd := command("echo", &stderr)
	cmd.Grace = 10 * time.Second
	c, err := cmd.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if p := c.Peer(); !p.Secure || !p.Loopback || p.Principal != "parent" {
		t.Errorf("Peer = %+v", p)
	}
	for i := range 3 {
		want := fmt.Sprintf(`{"n":%d}`, i)
		_ = c.Write([]byte(want))
		_ = c.Flush()
		if got, err := c.Read(nil); err != nil || string(got) != want {
			t.Fatalf("Read = %q, %v, want %q", got, err, want)
		}
	}
	for range 2 {
		_ = c.Close("")
	}
	if _, err := c.Read(nil); !errors.Is(err, transport.ErrClosed) {
		t.Errorf("Read after Close = %v, want ErrClosed", err)
	}
	if got := stderr.String(); got != "a stray print\n" {
		t.Errorf("stderr = %q", got)
	}
}

// A child that will not go is ended, with its own children; Close unblocks a Read meanwhile.
func TestCommandEnds(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"sleepy", "stubborn"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = r.Close() }()
			c, err := command(kind, w).Dial(t.Context())
			_ = w.Close()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.Read(nil); err != nil {
				t.Fatal(err)
			}
			read := make(chan error)
			go func() {
				_, err := c.Read(nil)
				read <- err
			}()
			_ = c.Close("")
			if err := <-read; !errors.Is(err, transport.ErrClosed) {
				t.Errorf("Read = %v, want ErrClosed", err)
			}
			// Its standard error ends when the last of the group is gone.
			if b, err := io.ReadAll(r); err != nil || len(b) > 0 {
				t.Errorf("stderr = %q, %v", b, err)
			}
		})
	}
}

func TestCommandChattyChildDoesNotHoldUpClose(t *testing.T) {
	t.Parallel()
	c, err := command("chatty", nil).Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(nil); err != nil {
		t.Fatal(err)
	}
	_ = c.Close("")
}

func TestCommandFails(t *testing.T) {
	t.Parallel()
	var stderr bytes.Buffer
	c, err := command("fail", &stderr).Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(nil); err == nil || errors.Is(err, io.EOF) || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("Read = %v, want exit status 3", err)
	}
	_ = c.Close("")
	if stderr.String() != "going down\n" {
		t.Errorf("stderr = %q", stderr.String())
	}
}

func TestStdioCloseUnblocks(t *testing.T) {
	t.Parallel()
	var stderr bytes.Buffer
	c, err := command("close", &stderr).Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(nil); err == nil || !strings.Contains(err.Error(), "exit status 6") {
		t.Errorf("Read = %v, want the child to end by itself", err)
	}
	_ = c.Close("")
	if got := stderr.String(); got != "transport: closed\n" {
		t.Errorf("the child's Read gave %q", got)
	}
}

func TestCommandDialErrors(t *testing.T) {
	t.Parallel()
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tc := range []struct {
		name string
		ctx  context.Context
		cmd  transport.Command
		want string
	}{
		{"no arguments", t.Context(), transport.Command{}, "Args is empty"},
		{"no such program", t.Context(), transport.Command{Args: []string{"/nowhere/at/all"}}, "/nowhere/at/all"},
		{"context over", over, transport.Command{Args: []string{"true"}}, "canceled"},
	} {
		if _, err := tc.cmd.Dial(tc.ctx); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: Dial = %v, want %q", tc.name, err, tc.want)
		}
	}
}
