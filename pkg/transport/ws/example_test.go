package ws_test

import (
	"context"
	"fmt"
	"log"
	"net/http"

	"github.com/arcpkit/arcp/pkg/transport"
	"github.com/arcpkit/arcp/pkg/transport/ws"
)

// A server that sends each frame back. In one of ARCP the function calls Runtime.Serve, the path is arcp.DefaultPath and the
// subprotocol arcp.Subprotocol.
func ExampleHandler() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	endpoint := ws.Handler(&ws.Options{Subprotocol: "echo"}, func(_ context.Context, c transport.Conn) {
		for {
			frame, err := c.Read(nil)
			if err != nil {
				return
			}
			if c.Write(frame) != nil || c.Flush() != nil {
				return
			}
		}
	})
	mux := http.NewServeMux()
	mux.Handle("/echo", endpoint)
	ln, err := ws.Listen(ctx, "127.0.0.1:0", nil) // an address that others reach wants TLS
	if err != nil {
		log.Fatal(err)
	}
	go func() { _ = ws.Serve(ctx, ln, mux, nil) }()

	dialer := &ws.Dialer{URL: "ws://" + ln.Addr().String() + "/echo", Subprotocol: "echo"}
	c, err := dialer.Dial(ctx)
	if err != nil {
		log.Fatal(err)
	}
	if err := c.Write([]byte(`"Hello"`)); err != nil {
		log.Fatal(err)
	}
	if err := c.Flush(); err != nil {
		log.Fatal(err)
	}
	frame, err := c.Read(nil)
	fmt.Printf("%s %v\n", frame, err)
	_ = c.Close("done")
	_ = endpoint.Shutdown(ctx)
	// Output: "Hello" <nil>
}
