package main

// secureRows hold a stream over TLS against the same one in clear.
func secureRows() []row {
	return []row{{"events/s over TLS : plain", ">=", 0.75, func() (string, float64, error) {
		return compareRates("k/s", 1e3, func() (float64, error) { return streamRate(openTLS) }, func() (float64, error) { return streamRate(open) })
	}}}
}

func streamRate(open func(agents) (*site, error)) (float64, error) {
	d, err := stream(open)
	return streamEvents / d.Seconds(), err
}
