package jsonx

import "strings"

type scanCase struct{ name, text, problem string }

func scanCases() []scanCase {
	return append(append(structureCases(), stringCases()...), numberCases()...)
}

func structureCases() []scanCase {
	const value = "not a JSON value"
	return []scanCase{
		{"null", "null", ""},
		{"true", " true ", ""},
		{"false", "false\n", ""},
		{"empty object", "{}", ""},
		{"empty array", "[ ]", ""},
		{"nested", `{"a":[1,{"b":[]},"c"],"d":{"a":null}}`, ""},
		{"empty name", `{"":1}`, ""},
		{"whitespace everywhere", "\t{\r\n \"a\" : [ 1 , 2 ] }\n", ""},
		{"depth 64", deep(64), ""},
		{"depth 65", deep(65), "nesting deeper"},
		{"depth 65 of objects", strings.Repeat(`{"a":`, 65) + "1" + strings.Repeat("}", 65), "nesting deeper"},
		{"wide is not deep", "[" + strings.Repeat("[],", 100) + "[]]", ""},
		{"empty text", "", "unexpected end"},
		{"only space", " ", "unexpected end"},
		{"byte order mark", "\ufeff{}", value},
		{"form feed", "[\f]", value},
		{"no-break space", "[\u00a0]", value},
		{"comment", "[1/*x*/]", "expected a comma"},
		{"trailing comma", "[1,]", value},
		{"leading comma", "[,1]", value},
		{"double comma", "[1,,2]", value},
		{"missing comma", "[1 2]", "expected a comma"},
		{"colon in array", "[1:2]", "expected a comma"},
		{"open array", "[1", "expected a comma"},
		{"open object", `{"a":1`, "expected a comma"},
		{"open after comma", `{"a":1,`, "expected a member name"},
		{"object comma at end", `{"a":1,}`, "expected a member name"},
		{"number name", `{1:1}`, "expected a member name"},
		{"bare name", `{a:1}`, "expected a member name"},
		{"single quotes", `{'a':1}`, "expected a member name"},
		{"no colon", `{"a" 1}`, "expected a colon"},
		{"no value", `{"a":}`, value},
		{"two values", "1 2", "text after"},
		{"closing too much", "[]]", "text after"},
		{"wrong closing", "[1}", "expected a comma"},
		{"capital literal", "True", value},
		{"cut literal", "nul", value},
		{"long literal", "nulll", value},
		{"glued literals", "[truefalse]", value},
		{"NaN", "NaN", value},
		{"Infinity", "-Infinity", "expected a digit"},
		{"duplicate", `{"a":1,"a":2}`, "duplicate"},
		{"duplicate deep inside", `[{"x":{"a":1,"b":2,"a":3}}]`, "duplicate"},
		{"duplicate by escape", `{"a":1,"\u0061":2}`, "duplicate"},
		{"duplicate empty", `{"":1,"":2}`, "duplicate"},
		{"case differs", `{"a":1,"A":2}`, ""},
		{"same name in two objects", `[{"a":1},{"a":2}]`, ""},
		{"same name at two levels", `{"a":{"a":1}}`, ""},
	}
}

func stringCases() []scanCase {
	return []scanCase{
		{"escapes", `"\"\\\/\b\f\n\r\t\u0000\uD834\udd1e"`, ""},
		{"raw beyond ASCII", "\"\u00e9\u2028\U0001d11e\x7f\"", ""},
		{"noncharacter", "\"\uffff\"", ""},
		{"unknown escape", `"\x41"`, "unknown escape"},
		{"escaped quote style", `"\'"`, "unknown escape"},
		{"escaped control", "\"\\\x01\"", "unknown escape"},
		{"newline", "\"a\nb\"", "control character"},
		{"nul byte", "\"a\x00b\"", "control character"},
		{"tab far in", "\"0123456789\tb\"", "control character"},
		{"short u", `"\u12"`, "four hexadecimal"},
		{"bad u", `"\u00g0"`, "four hexadecimal"},
		{"signed u", `"\u+123"`, "four hexadecimal"},
		{"capital U", `"\U0041"`, "unknown escape"},
		{"no end", `"abc`, "without end"},
		{"no end after backslash", `"abc\`, "without end"},
		{"end escaped", `"abc\"`, "without end"},
		{"lone high", `"\ud800"`, "lone surrogate"},
		{"lone high and letter", `"\ud800a"`, "lone surrogate"},
		{"lone high and newline", `"\ud800\n"`, "lone surrogate"},
		{"two highs", `"\ud800\ud800"`, "lone surrogate"},
		{"high and cut low", `"\ud800\udc0"`, "lone surrogate"},
		{"lone low", `"\udc00"`, "lone surrogate"},
		{"lone in a name", `{"\udc00":1}`, "lone surrogate"},
		{"cut UTF-8", "\"\xe2\x82\"", "offset 1: invalid UTF-8"},
		{"overlong UTF-8", "\"\xc0\xaf\"", "invalid UTF-8"},
		{"surrogate in UTF-8", "\"\xed\xa0\x80\"", "invalid UTF-8"},
		{"stray continuation", "\"a\x80\"", "offset 2: invalid UTF-8"},
		{"beyond Unicode", "\"\xf4\x90\x80\x80\"", "invalid UTF-8"},
		{"invalid outside strings", "\xff", "invalid UTF-8"},
	}
}

func numberCases() []scanCase {
	const digit = "expected a digit"
	return []scanCase{
		{"zero", "0", ""},
		{"minus zero", "-0", ""},
		{"all parts", "-12.50e+07", ""},
		{"capital exponent", "1E-2", ""},
		{"beyond float", "1e400", ""},
		{"64 bytes", strings.Repeat("9", 64), ""},
		{"65 bytes", strings.Repeat("9", 65), "longer than 64"},
		{"65 bytes in fraction", "0." + strings.Repeat("9", 63), "longer than 64"},
		{"leading zero", "01", "malformed number"},
		{"minus leading zero", "-01", "malformed number"},
		{"plus", "+1", "not a JSON value"},
		{"point first", ".5", "not a JSON value"},
		{"point last", "5.", digit},
		{"minus only", "-", digit},
		{"minus space", "- 1", digit},
		{"two minus", "--1", digit},
		{"exponent only", "1e", digit},
		{"exponent sign only", "1e+", digit},
		{"point exponent", "1.e1", digit},
		{"two points", "1.2.3", "malformed number"},
		{"hex", "0x1", "text after"},
		{"underscore", "31_457", "text after"},
		{"letters", "1a", "text after"},
		{"fraction of exponent", "1e1.5", "malformed number"},
		{"wide digits", "\uff11", "not a JSON value"},
	}
}
