//go:build !unix

package main

import "os"

// reopenSignals open the audit log anew; there are none here.
var reopenSignals []os.Signal
