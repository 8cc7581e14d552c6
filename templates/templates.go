// Package templates holds the text/template sources of everything the generator writes that is neither Go nor JSON
// Schema. They hold no logic beyond range and with: what they show is made ready by gen/text.
package templates

import "embed"

// FS holds the templates, by file name.
//
//go:embed *.tmpl
var FS embed.FS
