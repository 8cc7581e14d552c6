package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"github.com/arcpkit/arcp/pkg/client"
	"github.com/arcpkit/arcp/pkg/transport/ws"
)

// roleRuntime is the argument with which this program starts itself to be a runtime and nothing else.
const roleRuntime = "runtime"

// other is a runtime in a process of its own, so that one side can be weighed without the other.
type other struct {
	url string
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// beside starts a runtime with the agent quick.
func beside() (*other, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	o := &other{cmd: exec.Command(self, roleRuntime)}
	o.cmd.Stderr = os.Stderr
	if o.in, err = o.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := o.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := o.cmd.Start(); err != nil {
		return nil, err
	}
	o.out = bufio.NewReader(out)
	if o.url, err = o.line(); err != nil {
		return nil, errors.Join(err, o.stop())
	}
	return o, nil
}

func (o *other) line() (string, error) {
	line, err := o.out.ReadString('\n')
	return strings.TrimSpace(line), err
}

func (o *other) connect() (*client.Session, error) { return connect(&ws.Dialer{URL: o.url}) }

// inUse is the memory of the other process's heap and stacks after a collection, free parts of spans included.
func (o *other) inUse() (bytes float64, err error) {
	if _, err := fmt.Fprintln(o.in); err != nil {
		return 0, err
	}
	line, err := o.line()
	if err == nil {
		_, err = fmt.Sscan(line, &bytes)
	}
	return bytes, err
}

func (o *other) stop() error { return errors.Join(o.in.Close(), o.cmd.Wait()) }

// playRuntime is what the other process does: it prints where it is found, and what it weighs for each line it reads, until its input ends.
func playRuntime() error {
	s, err := open(agents{"quick": quick})
	if err != nil {
		return err
	}
	fmt.Println(s.dialer.URL)
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		m := collected()
		fmt.Println(m.HeapInuse + m.StackInuse)
	}
	return s.close()
}

// collected returns the statistics once what finalizers and cleanups held has gone, too.
func collected() *runtime.MemStats {
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return &m
}
