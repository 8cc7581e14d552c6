package main

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// gateway is the service that the runtimes of the sweep mint keys at. It is in the harness, so that it remembers what a killed process does not.
type gateway struct {
	url string

	mu     sync.Mutex
	live   map[string]bool // by alias
	minted int
}

// newGateway serves a gateway until ctx is done.
func newGateway(ctx context.Context) (*gateway, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	g := &gateway{url: "http://" + ln.Addr().String(), live: map[string]bool{}}
	s := &http.Server{Handler: g, ReadHeaderTimeout: time.Minute}
	context.AfterFunc(ctx, func() { _ = s.Close() })
	go func() { _ = s.Serve(ln) }()
	return g, nil
}

// ServeHTTP is the part of the key API that a runtime uses.
func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Alias   string   `json:"key_alias"`
		Aliases []string `json:"key_aliases"`
	}
	if json.NewDecoder(r.Body).Decode(&body) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(body.Aliases) > 0 {
		for _, a := range body.Aliases {
			delete(g.live, a)
		}
		return
	}
	g.live[body.Alias] = true
	g.minted++
	_ = json.NewEncoder(w).Encode(map[string]string{"key": "sk-" + body.Alias}) // who asked may be dead
}

// left returns the keys that are good, and how many ever were.
func (g *gateway) left() (live []string, minted int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for a := range g.live {
		live = append(live, a)
	}
	slices.Sort(live)
	return live, g.minted
}
