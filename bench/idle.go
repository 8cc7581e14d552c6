package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
)

// idleSessions is how many sessions the row of idle ones opens.
const idleSessions = 1000

// idleRows weigh what a session that does nothing costs the runtime. The clients are another process. The ratio is in KiB.
func idleRows() []row {
	return []row{{"idle session, server heap + stack, KiB", "<=", 20, func() (string, float64, error) {
		kib, err := idle()
		return fmt.Sprintf("%.1fKiB", kib), kib, err
	}}}
}

func idle() (kib float64, err error) {
	s, err := open(nil)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	first, err := s.connect() // what is made once is made before
	if err != nil {
		return 0, err
	}
	defer func() { _ = first.Close(context.Background()) }()
	before := inUse()
	_, stop, err := beside("sessions", s.dialer.URL, strconv.Itoa(idleSessions))
	if err != nil {
		return 0, err
	}
	after := inUse()
	return (after - before) / idleSessions / 1024, stop()
}

// inUse is the memory of heap and stacks after a collection, free parts of spans included.
func inUse() float64 {
	m := collected()
	return float64(m.HeapInuse + m.StackInuse)
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
