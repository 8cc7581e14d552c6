package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"time"
)

// What this program can be. Without one of these names it is the harness, which starts itself as the others.
const (
	roleAgent  = "agent"  // a program as an agent
	roleClient = "client" // one life of a client
	roleServer = "server" // the runtime of the sweep
)

const (
	exitOK = iota
	exitFound
	exitBroken // the test itself could not be done
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

func run(args []string, in io.Reader, out, errOut io.Writer) int {
	var role string
	if len(args) > 0 {
		role = args[0]
	}
	var err error
	switch role {
	case roleAgent:
		err = playAgent(in, out)
	case roleClient:
		err = playActor(args[1:], in, errOut)
	case roleServer:
		err = playServer(args[1:], errOut)
	default:
		return harness(args, out, errOut)
	}
	if err != nil {
		fmt.Fprintf(errOut, "crash %s: %v\n", role, err)
		return exitBroken
	}
	return exitOK
}

// plan is what the harness was told to do.
type plan struct {
	kills  int
	seed   uint64
	sweep  int // of the sweep's commits every how manyeth; 0 is none
	dir    string
	keep   bool
	leaves bool          // the servers that mint revoke nothing: a planted bug
	own    bool          // the rounds test the runtime of the sweep, too
	lies   int           // the sweep's server loses so many commits: a planted bug
	wait   time.Duration // how long a conversation may take
	out    io.Writer     // tells how it goes
	self   string        // this program
	arcp   string        // the binary under test
}

// roundKills is how many kills one folder of data sees.
const roundKills = 25

func harness(args []string, out, errOut io.Writer) int {
	p := plan{out: errOut, wait: patience}
	f := flag.NewFlagSet("crash", flag.ContinueOnError)
	f.SetOutput(errOut)
	f.IntVar(&p.kills, "kills", 500, "how often to kill a server in the rounds")
	f.Uint64Var(&p.seed, "seed", uint64(time.Now().UnixNano()), "what decides everything that is left to chance")
	f.IntVar(&p.sweep, "sweep", 1, "first kill at each `n`th commit of a conversation; 0 is not to")
	f.StringVar(&p.dir, "dir", "", "where to work; a new folder of the system's when empty")
	f.BoolVar(&p.keep, "keep", false, "keep all folders, and not only that of a round that failed")
	f.IntVar(&p.lies, "lies", 0, "a planted bug: the sweep's server only says that it has done so many commits before its death")
	f.BoolVar(&p.own, "own", false, "the rounds test the small runtime of the sweep and not the real binary")
	if err := f.Parse(args); err != nil {
		return exitBroken
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	total, err := p.all(ctx)
	switch {
	case err != nil:
		fmt.Fprintln(errOut, "crash: the test could not be done:", err)
		return exitBroken
	case !total.ok():
		fmt.Fprintf(out, "crash: FAILED seed=%d %s other=%d\n", p.seed, total, total.other)
		return exitFound
	}
	fmt.Fprintln(out, "crash: ok", total)
	return exitOK
}

// tally is the sum of all verdicts.
type tally struct {
	verdict
	kills    int
	minted   int
	dangling int // keys that were good without a job
}

// String is the last line of a run but for its first words.
func (t *tally) String() string {
	return fmt.Sprintf("kills=%d jobs=%d events=%d lost=%d doubled=%d reordered=%d dangling=%d", t.kills, t.jobs, t.events, t.lost, t.doubled, t.reordered, t.dangling)
}

// ok says whether nothing was found.
func (t *tally) ok() bool { return t.verdict.ok() && t.dangling == 0 }

// all does the sweep and then rounds, until there were enough kills or something was found.
func (p *plan) all(ctx context.Context) (*tally, error) {
	if err := p.prepare(ctx); err != nil {
		return nil, err
	}
	defer p.clear()
	total := &tally{}
	if p.sweep > 0 {
		for _, sweep := range []func(context.Context, *tally) error{p.sweepCommits, p.sweepMints} {
			if err := sweep(ctx, total); err != nil || !total.ok() {
				return total, err
			}
		}
	}
	swept := total.kills
	for n := uint64(0); n == 0 || total.kills-swept < p.kills && ctx.Err() == nil; n++ {
		r := round{plan: p, seed: p.seed + n, kills: min(roundKills, p.kills-(total.kills-swept)), lossy: n%4 == 3}
		if err := r.play(ctx, total); err != nil || !total.ok() {
			return total, err
		}
	}
	return total, ctx.Err()
}

// prepare finds this program, makes the folder and builds the binary that is tested.
func (p *plan) prepare(ctx context.Context) (err error) {
	if p.self, err = os.Executable(); err != nil {
		return err
	}
	if p.dir == "" {
		if p.dir, err = os.MkdirTemp("", "arcp-crash-"); err != nil {
			return err
		}
	} else if err = os.MkdirAll(p.dir, 0o700); err != nil {
		return err
	}
	if p.own {
		return nil
	}
	p.arcp = filepath.Join(p.dir, "arcp")
	build := exec.CommandContext(ctx, "go", "build", "-o", p.arcp, "github.com/arcpkit/arcp/cmd/arcp")
	if text, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, text)
	}
	return nil
}

// clear removes what is not asked for any more; a folder with something left in it stays.
func (p *plan) clear() {
	if p.arcp != "" {
		_ = os.Remove(p.arcp)
	}
	_ = os.Remove(p.dir)
}

// conclude judges the diaries of a folder, tells what was found, and removes the folder if that was nothing.
func (p *plan) conclude(dir string, kills int, lossy bool, total *tally, more ...string) error {
	all, err := readDiaries(dir, "")
	if err != nil {
		return err
	}
	v := &verdict{}
	for _, text := range more {
		v.find(other, "%s", text)
	}
	v.add(judge(all, lossy))
	total.verdict.add(v)
	total.kills += kills
	if v.ok() {
		if !p.keep {
			return os.RemoveAll(dir)
		}
		return nil
	}
	const most = 10
	for i, text := range v.texts {
		if i == most {
			fmt.Fprintf(p.out, "... and %d more\n", len(v.texts)-most)
			break
		}
		fmt.Fprintln(p.out, text)
	}
	fmt.Fprintln(p.out, "crash: what happened is kept in", dir)
	return nil
}

func number(n uint64) string { return strconv.FormatUint(n, 10) }
