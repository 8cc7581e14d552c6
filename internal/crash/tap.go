package main

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/transport"
	"github.com/arcpkit/arcp/pkg/transport/ws"
)

// addressFile, in the folder of a round, says where the server listens now.
const addressFile = "address"

var errNoServer = errors.New("there is no server at the moment")

// tap dials whatever server there is, and writes all frames into a diary: what comes before anybody sees it, what goes before it is sent.
type tap struct {
	dir      string
	diary    *diary
	links    atomic.Int64
	welcomed chan struct{} // told of each welcome, which brings a new token; may be nil
}

// Dial connects to the server that the address file names.
func (t *tap) Dial(ctx context.Context) (transport.Conn, error) {
	url, err := readOptional(filepath.Join(t.dir, addressFile))
	if err != nil {
		return nil, err
	}
	if len(url) == 0 {
		return nil, errNoServer
	}
	d := ws.Dialer{URL: strings.TrimSpace(string(url)), Subprotocol: arcp.Subprotocol}
	c, err := d.Dial(ctx)
	if err != nil {
		return nil, err
	}
	return &tapped{Conn: c, tap: t, link: int(t.links.Add(1))}, nil
}

type tapped struct {
	transport.Conn
	tap  *tap
	link int
	told bool
}

func (c *tapped) Read(dst []byte) ([]byte, error) {
	n := len(dst)
	f, err := c.Conn.Read(dst)
	if err != nil {
		return f, err
	}
	c.tap.diary.frame(c.link, fromRuntime, f[n:])
	if !c.told && c.tap.welcomed != nil { // the first frame is the welcome, or there is none
		c.told = true
		select {
		case c.tap.welcomed <- struct{}{}:
		default:
		}
	}
	return f, nil
}

func (c *tapped) Write(frame []byte) error {
	c.tap.diary.frame(c.link, fromClient, frame)
	return c.Conn.Write(frame)
}
