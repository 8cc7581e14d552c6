package jsonx

// keySet notices the second of two equal names. A few names are compared in place, many through a map, so that a hostile
// object costs no more than linear time.
type keySet struct {
	n      int
	filter uint64
	small  [12]string
	more   map[string]struct{}
}

// add reports whether key is new.
func (s *keySet) add(key string) bool {
	bit := uint64(1) << (keyHash(key) & 63)
	if s.filter&bit != 0 && s.has(key) {
		return false
	}
	s.filter |= bit
	if s.n < len(s.small) {
		s.small[s.n] = key
		s.n++
		return true
	}
	if s.more == nil {
		s.more = make(map[string]struct{})
	}
	s.more[key] = struct{}{}
	return true
}

func (s *keySet) has(key string) bool {
	for _, k := range s.small[:s.n] {
		if k == key {
			return true
		}
	}
	_, ok := s.more[key]
	return ok
}

func keyHash(key string) uint {
	if key == "" {
		return 0
	}
	return uint(key[0])*7 + uint(key[len(key)-1])*31 + uint(len(key))
}

// unknownKeys are the names an object at one depth had that its reader did not know.
type unknownKeys struct {
	depth int
	seen  *keySet
}

// Unknown steps over the value of a member the reader does not know (§5: ignored), refusing its name if the same object
// had it before. Names the reader knows are its own to watch; see Duplicate.
func (d *Decoder) Unknown(key string) {
	if d.broken {
		return
	}
	d.forgetUnknown(d.depth)
	if n := len(d.unknown); n == 0 || d.unknown[n-1].depth != d.depth {
		d.unknown = append(d.unknown, unknownKeys{d.depth, new(keySet)})
	}
	if !d.unknown[len(d.unknown)-1].seen.add(key) {
		d.Duplicate()
		return
	}
	d.Skip()
}

// forgetUnknown drops what is known of objects deeper than depth: they are finished.
func (d *Decoder) forgetUnknown(depth int) {
	for n := len(d.unknown); n > 0 && d.unknown[n-1].depth > depth; n-- {
		d.unknown = d.unknown[:n-1]
	}
}
