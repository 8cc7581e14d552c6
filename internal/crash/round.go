package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/arcpkit/arcp/internal/proc"
)

// round is one folder of data and all that happens to it.
type round struct {
	*plan
	seed  uint64
	kills int
	lossy bool // logs are kept so short that they lose their beginnings

	folder  string
	rng     *rand.Rand
	server  server
	clients []*person
	done    int // kills
	wrong   []string
}

// person is a client: one process after the other.
type person struct {
	name, principal string
	proc            *proc.Process
	log             *os.File
}

// play runs the round and adds what came of it to total.
func (r *round) play(ctx context.Context, total *tally) error {
	r.rng = rand.New(rand.NewPCG(r.seed, 2))
	r.folder = filepath.Join(r.dir, "round-"+number(r.seed))
	if err := os.MkdirAll(r.folder, 0o700); err != nil {
		return err
	}
	start := time.Now()
	if err := r.setUp(); err != nil {
		return err
	}
	defer r.tearDown()
	for looked := false; r.done < r.kills && ctx.Err() == nil && len(r.wrong) == 0; {
		err := r.once()
		if err == nil && !looked && r.done >= r.kills/2 {
			looked, err = true, r.look(ctx)
		}
		if err != nil {
			r.wrong = append(r.wrong, err.Error())
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	time.Sleep(r.within(time.Second))
	r.rest(ctx)
	before := *total
	err := r.conclude(r.folder, r.done, r.lossy, total, r.wrong...)
	fmt.Fprintf(r.out, "round seed=%d kills=%d jobs=%d events=%d reruns=%d resumed=%d (%v)\n", r.seed, r.done, total.jobs-before.jobs,
		total.events-before.events, total.reruns-before.reruns, total.resumed-before.resumed, time.Since(start).Round(time.Millisecond))
	return err
}

func (r *round) setUp() error {
	args, err := r.command()
	if err != nil {
		return err
	}
	r.server = server{dir: r.folder, args: args}
	if err := r.server.start(); err != nil {
		return err
	}
	if err := r.server.await(); err != nil {
		return err
	}
	r.clients = []*person{
		{name: "ada1", principal: "ada"}, {name: "ada2", principal: "ada"}, {name: "bob1", principal: "bob"},
	}
	for _, c := range r.clients {
		if err := r.begin(c); err != nil {
			return err
		}
	}
	return nil
}

// command is what runs the server of the round.
func (r *round) command() ([]string, error) {
	data := filepath.Join(r.folder, "data")
	if r.own {
		args := []string{r.self, roleServer, "-data", data, "-chunk-bytes", "5000"}
		if r.lossy {
			args = append(args, "-log-bytes", smallLog)
		}
		return args, nil
	}
	tokens := filepath.Join(r.folder, "tokens")
	if err := os.WriteFile(tokens, []byte(tokenLines()), 0o600); err != nil {
		return nil, err
	}
	agent := "'" + r.self + "' " + roleAgent
	args := []string{
		r.arcp, "serve", "--listen", "127.0.0.1:0", "--data", data, "--token-file", tokens, "--drain", "150ms",
		"--agent", agentAgain + "=" + agent, "--agent", agentOnce + "=" + agent, "--restart", agentAgain,
	}
	if r.lossy {
		args = append(args, "--log-bytes", smallLog)
	}
	if r.rng.IntN(4) == 0 {
		args = append(args, "--sync")
	}
	return args, nil
}

// begin starts a client's next life.
func (r *round) begin(c *person) error {
	var err error
	if c.log == nil {
		if c.log, err = os.OpenFile(filepath.Join(r.folder, c.name+".log"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600); err != nil {
			return err
		}
	}
	args := []string{
		r.self, roleClient, "-dir", r.folder, "-name", c.name, "-principal", c.principal, "-seed", number(r.rng.Uint64()),
		fmt.Sprintf("-lossy=%v", r.lossy),
	}
	c.proc, err = proc.Start(proc.Options{Args: args, Stderr: c.log, Grace: 10 * time.Second, EndWithParent: true})
	return err
}

// once lets all of them work for a moment, and kills somebody.
func (r *round) once() error {
	if err := r.server.await(); err != nil {
		return err
	}
	time.Sleep(r.within(600 * time.Millisecond))
	if r.server.gone() {
		return fmt.Errorf("the server ended by itself: %w", r.server.proc.Err())
	}
	if r.rng.IntN(5) == 0 {
		c := r.clients[r.rng.IntN(len(r.clients))]
		if err := r.killClient(c); err != nil {
			return err
		}
	}
	if r.rng.IntN(6) == 0 {
		if err := r.drain(); err != nil {
			return err
		}
	} else {
		r.server.kill()
		r.done++
	}
	for r.rng.IntN(3) == 0 && r.done < r.kills { // while it starts
		if err := r.server.start(); err != nil {
			return err
		}
		time.Sleep(r.within(120 * time.Millisecond))
		if r.server.gone() {
			return fmt.Errorf("the server did not start: %w", r.server.proc.Err())
		}
		r.server.kill()
		r.done++
	}
	return r.server.start()
}

// look reads the jobs that have ended, half way: in the end they must be what they are now.
func (r *round) look(ctx context.Context) error {
	if err := r.server.await(); err != nil {
		return err
	}
	return audit(ctx, r.folder, lookName)
}

// within is a moment of up to most; short ones come more often, for much happens in them.
func (r *round) within(most time.Duration) time.Duration {
	f := r.rng.Float64()
	return time.Duration(f * f * float64(most))
}

// drain tells the server to end, and kills it at some moment of that, if it has not ended yet.
func (r *round) drain() error {
	r.server.hide()
	r.server.proc.Terminate()
	select {
	case <-r.server.proc.Gone():
		<-r.server.ready
		if err := r.server.proc.Err(); err != nil {
			return fmt.Errorf("the server was told to end, and ended with %w", err)
		}
	case <-time.After(r.within(500 * time.Millisecond)):
		r.server.kill()
		r.done++
	}
	return nil
}

// killClient ends a client's life and begins the next.
func (r *round) killClient(c *person) error {
	select {
	case <-c.proc.Gone():
		return fmt.Errorf("client %s ended by itself: %w", c.name, c.proc.Err())
	default:
	}
	c.proc.Kill()
	c.proc.ClosePipes()
	return r.begin(c)
}

// rest lets everything come to its end.
func (r *round) rest(ctx context.Context) {
	if err := r.server.await(); err != nil {
		r.wrong = append(r.wrong, err.Error())
		return
	}
	for _, c := range r.clients {
		_ = c.proc.Stdin.Close()
	}
	for _, c := range r.clients {
		select {
		case <-c.proc.Gone():
			if err := c.proc.Err(); err != nil {
				r.wrong = append(r.wrong, fmt.Sprintf("client %s: %v", c.name, err))
			}
		case <-time.After(3 * patience):
			r.wrong = append(r.wrong, fmt.Sprintf("client %s does not end", c.name))
		}
	}
	if err := audit(ctx, r.folder, finalName); err != nil {
		r.wrong = append(r.wrong, err.Error())
	}
	r.server.proc.Terminate()
	if err := r.server.proc.Err(); err != nil {
		r.wrong = append(r.wrong, fmt.Sprintf("the server was told to end, and ended with %v", err))
	}
}

// tearDown leaves no process behind.
func (r *round) tearDown() {
	for _, c := range r.clients {
		if c.proc != nil {
			c.proc.Kill()
			c.proc.ClosePipes()
		}
		if c.log != nil {
			_ = c.log.Close()
		}
	}
	if r.server.proc != nil {
		r.server.kill()
	}
}

// smallLog makes a server forget the beginnings of some logs.
const smallLog = "100000"
