package ir

// Object is a JSON object with known members.
type Object struct {
	Meta
	Name
	Fields []*Field // in the order they are written
	// Aliases are further member names read, never written.
	Aliases []*Alias
	// ExactlyOneOf are groups of fields of which exactly one is present.
	ExactlyOneOf [][]*Field
	// AtMostOneOf are groups of fields of which one at most is present.
	AtMostOneOf [][]*Field
}

// Field returns the field with that wire name, or nil.
func (o *Object) Field(wire string) *Field {
	for _, f := range o.Fields {
		if f.Wire == wire {
			return f
		}
	}
	return nil
}

// HasSecret says whether a field of o itself is secret.
func (o *Object) HasSecret() bool {
	for _, f := range o.Fields {
		if f.Secret {
			return true
		}
	}
	return false
}

// Alias is another name under which a field is read. Path leads from the object that holds the alias to the field:
// one step for another name of an own field, two for a flat spelling of a member of a nested object.
type Alias struct {
	Wire string
	Path []*Field
}

// Field is one member of an object.
type Field struct {
	Meta
	Name
	Index    int // position in Object.Fields, the bit that tracks presence
	Type     *Type
	Required bool
	// Explicit presence: absent and zero differ, and Go has a pointer. Otherwise zero means absent, but for types whose
	// Go zero is no value anyhow (nil RawJSON, nil list).
	Explicit bool
	// Written: always written, empty or not (lists and maps as [] and {}), and Validate wants it, but read without:
	// older peers leave it out. A required field is always written, too.
	Written bool
	// WriteNull: written as null when empty.
	WriteNull bool
	// Secret values are redacted wherever they are shown; the type is String.
	Secret bool
	// Lone: a list that is read from a single element, too.
	Lone    bool
	Rules   Rules
	OneOf   []*Value // enum values allowed here; empty for all
	Feature *Feature // nil for none
}

// Rules are what Validate checks. Those of a scalar are merged into each field and element type that names it.
// Min and Max bound the value of a number, the length in bytes of a string, the count of a list or map.
type Rules struct {
	Min, Max  *int64
	ExclusMin bool   // the value must be greater than Min
	Pattern   string // RE2 and ECMA 262 alike, anchored
	UTC       bool   // a time that must be written with Z
}
