package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/arcpkit/arcp/pkg/arcp"
	"github.com/arcpkit/arcp/pkg/client"
	"github.com/arcpkit/arcp/pkg/transport/ws"
)

// failure says what kept a session from opening.
func (t *target) failure(err error) error {
	var untrusted *tls.CertificateVerificationError
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, client.ErrSessionExpired):
		return classify(err)
	case errors.Is(err, arcp.CodeUnauthenticated) && arcp.IsRemote(err):
		return t.unauthenticated(err)
	case arcp.IsRemote(err), errors.Is(err, ws.ErrInsecure), errors.Is(err, client.ErrInsecure):
		return classify(inner(err))
	case errors.As(err, &untrusted):
		return &exitError{exitRefused, fmt.Errorf("%s cannot be trusted: %w\n--ca FILE names certificates to trust", t, untrusted.Err)}
	}
	err = t.reason(err)
	if u, bad := url.Parse(t.url); bad == nil && t.stdio == "" && u.Path != arcp.DefaultPath {
		err = fmt.Errorf("%w\nthe path is %q; that of most runtimes is %s", err, u.Path, arcp.DefaultPath)
	}
	return &exitError{code: exitNoLink, err: fmt.Errorf("no connection to %s: %w", t, err)}
}

// reason is what an error is about, without what the layers above it say of the same.
func (t *target) reason(err error) error {
	var network *net.OpError
	var request *url.Error
	var record tls.RecordHeaderError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no answer within %s", t.patience())
	case errors.As(err, &record):
		return errors.New("it does not speak TLS: is the URL ws:// in place of wss://?")
	case errors.As(err, &network):
		return network
	case errors.As(err, &request):
		return request.Err
	}
	return inner(err)
}

// inner is err without the name of the package it comes from.
func inner(err error) error {
	if cause := errors.Unwrap(err); cause != nil {
		return cause
	}
	return err
}

// unauthenticated says how to have a token when none was sent.
func (t *target) unauthenticated(err error) error {
	err = classify(inner(err))
	if token, _ := t.secret(); !token.IsZero() {
		return err
	}
	hints := []string{"no token was sent: give one in ARCP_TOKEN"}
	if _, missing := configFolder(); missing != nil {
		hints = append(hints, missing.Error())
	}
	return &exitError{exitRefused, fmt.Errorf("%w\n%s", err, strings.Join(hints, "\n"))}
}
