package main

import (
	"context"
	"errors"
	"fmt"
)

// The row of idle sessions opens so many, after some that have what is made once be made.
const (
	idleBefore   = 10
	idleSessions = 1000
)

// idleRows weigh what a session that does nothing costs the runtime, which is another process. The ratio is in KiB.
func idleRows() []row {
	return []row{{"idle session, server heap + stack, KiB", "<=", 20, func() (string, float64, error) {
		kib, err := idle()
		return fmt.Sprintf("%.1fKiB", kib), kib, err
	}}}
}

func idle() (kib float64, err error) {
	o, err := beside()
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, o.stop()) }()
	var before float64
	for i := range idleBefore + idleSessions {
		if i == idleBefore {
			if before, err = o.inUse(); err != nil {
				return 0, err
			}
		}
		session, err := o.connect()
		if err != nil {
			return 0, err
		}
		defer func() { _ = session.Close(context.Background()) }()
	}
	after, err := o.inUse()
	return (after - before) / idleSessions / 1024, err
}
