package runtime

import (
	"context"
	"sync"
)

// background is the goroutines of a shared runtime that belong to no connection and no agent.
type background struct {
	// start runs f until it returns; its context ends with cancel, or with stop. After stop it does nothing.
	start func(f func(context.Context)) (cancel context.CancelFunc)
	// stop ends all of them and waits.
	stop func()
}

func newBackground() *background {
	ctx, cancel := context.WithCancel(context.Background())
	var mu sync.Mutex
	var running sync.WaitGroup
	return &background{
		start: func(f func(context.Context)) context.CancelFunc {
			mine, done := context.WithCancel(ctx)
			mu.Lock()
			defer mu.Unlock()
			if ctx.Err() == nil {
				running.Go(func() { defer done(); f(mine) })
			}
			return done
		},
		stop: func() {
			mu.Lock()
			cancel()
			mu.Unlock()
			running.Wait()
		},
	}
}
