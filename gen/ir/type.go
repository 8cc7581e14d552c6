package ir

// Base is the shape of a value.
type Base uint8

// The bases, and the Go type each is written as.
const (
	String    Base = iota + 1 // string; Secret when the field is secret
	Bool                      // bool
	Int                       // int64
	Uint                      // uint64
	Float                     // float64
	Number                    // Number, the literal kept
	Time                      // time.Time
	Any                       // RawJSON, any value, null too
	RawObject                 // RawJSON that is an object
	Amount                    // Amount, a JSON number
	Lease                     // Lease, namespace to patterns
	EnumBase                  // the enum's Go type
	ObjectRef                 // the object's Go type; a pointer when the field is optional
	List                      // slice of Elem
	Map                       // map[string]Elem
	Body                      // EventBody, its type chosen by the member kind
	Payload                   // Payload, its type chosen by the member type
)

// Type is the type of a field or an element.
type Type struct {
	Base   Base
	Scalar *Scalar // the named scalar it came from, nil for none
	Enum   *Enum   // for EnumBase
	Object *Object // for ObjectRef
	Elem   *Type   // for List and Map
	Key    *Scalar // rules of the keys of a Map, nil for none
	Rules  Rules   // of an element; a field's own stand in Field.Rules
}

// Nullable says whether null is a value of the type, not an absence.
func (t *Type) Nullable() bool { return t.Base == Any }

// Scalar is a named string or number with rules.
type Scalar struct {
	Meta
	Name
	Base    Base // String, Int, Uint, Float, Number or Time
	Rules   Rules
	Example string // a value that keeps the rules, as JSON text
}

// Enum is a closed list of strings. Decoding takes any string; Validate takes the listed, and vendor names if Vendor.
type Enum struct {
	Meta
	Name
	Prefix string // of the Go constants
	Vendor bool   // x-vendor. names are valid, too
	Open   bool   // any name is valid
	Values []*Value
	// Table is set for the enums whose values are a table of the protocol: "messages", "kinds", "codes", "features".
	// They are reached through fields only and do not stand in Protocol.Enums.
	Table string
}

// Value is one value of an enum.
type Value struct {
	Doc   string
	Wire  string
	Const string // "StatusRunning"
}
