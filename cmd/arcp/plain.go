package main

import "regexp"

// plainText is the text of an error without the names of packages, and without what an HTTP client says on the way to what happened.
func plainText(text string) string {
	text = onTheWay.ReplaceAllString(text, "")
	for {
		shorter := packageNames.ReplaceAllString(text, "$1")
		if shorter == text {
			return text
		}
		text = shorter
	}
}

var (
	packageNames = regexp.MustCompile(`(^|: )(?:client|ws|transport|runtime|program|link): `)
	onTheWay     = regexp.MustCompile(
		`(?:connect: )?(?:ws: connect to \S+: )?failed to WebSocket dial: failed to send handshake request: \w+ "[^"]*": `)
)
