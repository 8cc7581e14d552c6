// Command custom_auth lets clients in by tokens of its own making: signed, with a name and an end. The runtime asks a
// Verifier and keeps no token; arcprt.StaticTokens is one that compares hashes.
package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/arcpkit/arcp/examples/internal/local"
	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
)

// scheme is what a client must call this kind of token.
const scheme = "acme-signed"

// signer makes and checks tokens: name, end and their signature, with dots between.
type signer struct{ key []byte }

func (s signer) sign(claim string) string {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(claim))
	return hex.EncodeToString(mac.Sum(nil))
}

func (s signer) token(name string, end time.Time) string {
	claim := name + "." + strconv.FormatInt(end.Unix(), 10)
	return claim + "." + s.sign(claim)
}

// Verify says who presents a token. The text of its errors goes to the operator's log, never to the client.
func (s signer) Verify(_ context.Context, tokenScheme, token string) (*arcprt.Principal, error) {
	name, rest, _ := strings.Cut(token, ".")
	unix, signature, _ := strings.Cut(rest, ".")
	if tokenScheme != scheme || !hmac.Equal([]byte(signature), []byte(s.sign(name+"."+unix))) {
		return nil, errors.New("not signed by us")
	}
	end, err := strconv.ParseInt(unix, 10, 64)
	if err != nil {
		return nil, err
	}
	return &arcprt.Principal{ID: name, Expires: time.Unix(end, 0)}, nil // the runtime holds sessions to it
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer) error {
	signer := signer{key: []byte("from the operator's vault")}
	rt, err := arcprt.New(&arcprt.Options{Verifier: signer})
	if err != nil {
		return err
	}
	err = rt.Handle("whoami", arcprt.Func(func(_ context.Context, t *arcprt.Task, _ any) (string, error) {
		return t.Principal(), nil
	}))
	if err != nil {
		return err
	}
	dialer, stop, err := local.Serve(ctx, rt)
	if err != nil {
		return err
	}
	defer stop()
	forged := "ada" + strings.TrimPrefix(signer.token("eve", time.Now().Add(time.Hour)), "eve")
	_, err = client.Connect(ctx, dialer, &client.Options{Scheme: scheme, Token: forged})
	fmt.Fprintf(w, "forged: %s\n", arcp.CodeOf(err))

	good := signer.token("ada", time.Now().Add(time.Hour))
	session, err := client.Connect(ctx, dialer, &client.Options{Scheme: scheme, Token: good})
	if err != nil {
		return err
	}
	defer session.Close(ctx)
	job, err := session.Submit(ctx, &arcp.JobSubmit{Agent: "whoami"})
	if err != nil {
		return err
	}
	result, err := job.Result(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "good: %s\n", result.Result)
	return nil
}
