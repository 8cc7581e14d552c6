// Package provision has provisioners for runtime.Options: [Memory], which mints nothing that is worth anything, and [LiteLLM], for gateways
// to language models that give out keys with a budget, models and a lifetime over HTTP.
package provision
