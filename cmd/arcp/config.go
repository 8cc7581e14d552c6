package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/arcpkit/arcp/pkg/arcp"
	arcprt "github.com/arcpkit/arcp/pkg/runtime"
)

// localPrincipal owns the jobs of whoever holds this user's own token.
const localPrincipal = "local"

// configFolder is where this user's token lies: ARCP_CONFIG_DIR, or arcp in the system's folder for it.
func configFolder() (string, error) {
	if dir := os.Getenv("ARCP_CONFIG_DIR"); dir != "" {
		return dir, nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("there is no folder for this user's configuration (%w): name one in ARCP_CONFIG_DIR", err)
	}
	return filepath.Join(dir, "arcp"), nil
}

func tokenPath() (string, error) {
	dir, err := configFolder()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "token"), nil
}

// readPrivate returns the text of a file that only this user may read. Another one is refused: what it holds is no secret any
// more.
func readPrivate(path string) ([]byte, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	switch {
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a regular file", path)
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("%s may be read by others (mode %04o): remove it, a new one is made", path, info.Mode().Perm())
	}
	return os.ReadFile(path)
}

// writePrivate makes a file of mode 0600, whole or not at all. Where there is one already it stays, unless it is to be replaced.
func writePrivate(path string, text []byte, replace bool) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if replace {
		return os.Rename(f.Name(), path)
	}
	if err = os.Link(f.Name(), path); errors.Is(err, fs.ErrExist) { // a rename would not fail if the file is there
		return nil
	}
	return err
}

// minToken is the length that a token of this user has at least, in bytes.
const minToken = 16

// readToken returns this user's token.
func readToken(path string) (arcp.Secret, error) {
	text, err := readPrivate(path)
	if err != nil {
		return arcp.Secret{}, err
	}
	token := strings.TrimSpace(string(text))
	const remedy = "remove it, and arcp serve makes a new one"
	switch {
	case token == "":
		return arcp.Secret{}, fmt.Errorf("%s is empty: %s", path, remedy)
	case len(token) < minToken:
		return arcp.Secret{}, fmt.Errorf("%s holds a token that can be guessed, of less than %d characters: %s", path, minToken, remedy)
	}
	return arcp.MakeSecret(token), nil
}

// ensureToken returns this user's token and makes one when there is none. Of two processes that make one at the same
// time both get that of the first.
func ensureToken(path string) (token arcp.Secret, made bool, err error) {
	token, err = readToken(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return token, false, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return arcp.Secret{}, false, err
	}
	ours := arcp.NewToken()
	if err := writePrivate(path, []byte(ours.Reveal()+"\n"), false); err != nil {
		return arcp.Secret{}, false, err
	}
	token, err = readToken(path)
	return token, err == nil && token.Equal(ours), err
}

// readTokens reads a file of lines "principal hash"; empty lines and those that begin with # are skipped.
func readTokens(path string) (arcprt.StaticTokens, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o022 != 0 {
		return nil, fmt.Errorf("%s may be written by others (mode %04o)", path, info.Mode().Perm())
	}
	tokens := arcprt.StaticTokens{}
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		fields := strings.Fields(lines.Text())
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		if len(fields) != 2 {
			return nil, fmt.Errorf("%s:%d: a line is a principal and the hash of its token, as `arcp token` prints it", path, n)
		}
		hash, err := arcp.ParseTokenHash(fields[1])
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		if _, twice := tokens[hash]; twice {
			return nil, fmt.Errorf("%s:%d: the same token stands in the file twice", path, n)
		}
		tokens[hash] = fields[0]
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(tokens) == 0 {
		return nil, fmt.Errorf("%s holds no token: arcp token PRINCIPAL --token-file %[1]s adds one", path)
	}
	return tokens, nil
}
