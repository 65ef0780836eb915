import Testing

@testable import SafeTensors

/// One file for each way to break the contract, with the whole sentence it is refused by.
struct Malformed: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let bytes: [UInt8]
    let sentence: String

    init(_ name: String, _ bytes: [UInt8], _ sentence: String) {
        testDescription = name
        self.bytes = bytes
        self.sentence = "x.safetensors" + sentence
    }

    /// A file with one U8 tensor `a` of one byte whose entry is `entry`.
    static func tensor(_ name: String, _ entry: String, _ sentence: String) -> Malformed {
        Malformed(name, framed("{\"a\":\(entry)}", data: [1]), sentence)
    }

    /// A file whose metadata is `text`.
    static func metadata(_ name: String, _ text: String, _ sentence: String) -> Malformed {
        Malformed(name, framed("{\"__metadata__\":\(text)}"), sentence)
    }
}

private let a = #""a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}"#
private func b(_ offsets: String) -> String {
    "{\(a),\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":\(offsets)}}"
}

let frame: [Malformed] = [
    Malformed(
        "empty file", [],
        ": not a safetensors file: found an empty file (was it copied or downloaded to the end?)"),
    Malformed(
        "seven bytes", [2, 0, 0, 0, 0, 0, 0],
        ": too short for a safetensors file: found 7 bytes, expected at least 8 bytes"),
    Malformed(
        "header above the limit", framed("{}", length: 100_000_001),
        ", byte 0: header length out of range: found 100000001 bytes, expected at most 100000000 bytes (this may not be a safetensors file)"
    ),
    Malformed(
        "header length of all ones", framed("{}", length: .max),
        ", byte 0: header length out of range: found 18446744073709551615 bytes, expected at most 100000000 bytes (this may not be a safetensors file)"
    ),
    Malformed(
        "header at the limit, file short", framed("{}", length: 100_000_000),
        ": file ends inside its header: found 10 bytes, expected at least 100000008 bytes (was it copied to the end?)"
    ),
    Malformed(
        "header one byte short", framed("{}", length: 3),
        ": file ends inside its header: found 10 bytes, expected at least 11 bytes (was it copied to the end?)"
    ),
    Malformed(
        "empty header", framed(""),
        ", byte 8: header does not start with an object: found the end of the header, expected \"{\" (this may not be a safetensors file)"
    ),
    Malformed(
        "header starts with a space", framed(" {}"),
        ", byte 8: header does not start with an object: found byte 0x20, expected \"{\" (this may not be a safetensors file)"
    ),
    Malformed(
        "header is a list", framed("[]"),
        ", byte 8: header does not start with an object: found \"[\", expected \"{\" (this may not be a safetensors file)"
    ),
    Malformed(
        "header starts with a byte order mark", framed("\u{FEFF}{}"),
        ", byte 8: header does not start with an object: found byte 0xef, expected \"{\" (this may not be a safetensors file)"
    ),
    Malformed(
        "padding that is not spaces", framed("{} \n "),
        ", byte 11: text after the header's object: found byte 0x0a, expected spaces up to the end of the header"
    ),
    Malformed(
        "two objects", framed("{}{}"),
        ", byte 10: text after the header's object: found \"{\", expected spaces up to the end of the header"
    ),
]

let json: [Malformed] = [
    Malformed(
        "cut inside an object", framed("{\"a\":{"),
        ", byte 14: malformed header: found the end of the header, expected a key in quotes"),
    Malformed(
        "cut inside a string", framed("{\"a"),
        ", byte 11: malformed header: found the end of the header, expected \"\\\"\""),
    Malformed(
        "key without quotes", framed("{a:1}"),
        ", byte 9: malformed header: found \"a\", expected a key in quotes"),
    Malformed(
        "no colon", framed("{\"a\" {}}"),
        ", byte 13: malformed header: found \"{\", expected \":\""),
    Malformed(
        "comma before the end", framed("{\(a),}", data: [1]),
        ", byte 61: malformed header: found \"}\", expected a key in quotes"),
    Malformed(
        "no comma", framed("{\(a) \(a)}", data: [1]),
        ", byte 61: malformed header: found \"\"\", expected \",\" or \"}\""),
    Malformed(
        "tensor is a number", framed("{\"a\":1}"),
        ", byte 13: malformed header: found \"1\", expected an object"),
    Malformed(
        "nested a million deep", framed("{\"a\":" + String(repeating: "[", count: 1_000_000)),
        ", byte 13: malformed header: found \"[\", expected an object"),
    Malformed.metadata(
        "metadata is a list", "[]",
        ", byte 24: malformed header: found \"[\", expected an object"),
    Malformed.metadata(
        "metadata value is a number", "{\"k\":1}",
        ", byte 29: malformed header: found \"1\", expected a string"),
    Malformed.metadata(
        "control character in a string", "{\"k\":\"a\u{1}\"}",
        ", byte 31: control character in a string of the header: found byte 0x01, expected an escape such as \\n"
    ),
    Malformed.metadata("unknown escape", #"{"k":"\x"}"#, badEscape(30)),
    Malformed.metadata("escape with three digits", #"{"k":"\u12"}"#, badEscape(30)),
    Malformed.metadata("escape with a letter", #"{"k":"\u12g4"}"#, badEscape(30)),
    Malformed.metadata("escape with wide digits", #"{"k":"\u１２"}"#, badEscape(30)),
    Malformed.metadata("lone high surrogate", #"{"k":"\ud83dx"}"#, badEscape(30)),
    Malformed.metadata("lone low surrogate", #"{"k":"\ude00"}"#, badEscape(30)),
    Malformed.metadata("two high surrogates", #"{"k":"\ud83d\ud83d"}"#, badEscape(30)),
    Malformed(
        "escape at the end", framed("{\"a\\"),
        ", byte 12: malformed header: found the end of the header, expected an escape"),
    Malformed(
        "not UTF-8", framed(Array("{\"a".utf8) + [0xFF] + Array("\":1}".utf8)),
        ", byte 9: string of the header is not UTF-8"),
    Malformed(
        "overlong UTF-8", framed(Array("{\"".utf8) + [0xC0, 0xAF] + Array("\":1}".utf8)),
        ", byte 9: string of the header is not UTF-8"),
    Malformed(
        "surrogate in UTF-8", framed(Array("{\"".utf8) + [0xED, 0xA0, 0x80] + Array("\":1}".utf8)),
        ", byte 9: string of the header is not UTF-8"),
    Malformed(
        "name too long", framed("{\"" + String(repeating: "n", count: 1025) + "\":1}"),
        ", byte 9: name too long: found 1025 bytes, expected at most 1024 bytes"),
    Malformed(
        "31 combining marks", framed("{\"a" + String(repeating: "\u{301}", count: 31) + "\":1}"),
        ", byte 9: name with too many combining marks in a row: expected at most 30"),
    Malformed(
        "30 combining marks", framed("{\"a" + String(repeating: "\u{301}", count: 30) + "\":1}"),
        ", byte 73: malformed header: found \"1\", expected an object"),
    Malformed(
        "tensor twice", framed("{\(a),\(a)}", data: [1]),
        ", byte 61: duplicate tensor name: found \"a\" again"),
    Malformed(
        "tensor twice, once escaped",
        framed("{\(a),\"\\u0061\":{}}", data: [1]),
        ", byte 61: duplicate tensor name: found \"a\" again"),
    Malformed(
        "metadata twice", framed(#"{"__metadata__":{},"__metadata__":{}}"#),
        ", byte 27: duplicate key: found \"__metadata__\" again"),
    Malformed.metadata(
        "metadata key twice", #"{"k":"1","k":"1"}"#,
        ", byte 33: duplicate metadata key: found \"k\" again"),
    Malformed.metadata(
        "metadata keys that look alike", "{\"\u{E9}\":\"1\",\"e\u{301}\":\"1\"}",
        ", byte 34: duplicate metadata key: found \"e\u{301}\" again"),
]

private func badEscape(_ at: Int) -> String {
    ", byte \(at): invalid escape in a string of the header: expected one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t or \\u and four hexadecimal digits, surrogates in pairs"
}

let entries: [Malformed] = [
    .tensor("no dtype", #"{"shape":[1],"data_offsets":[0,1]}"#, missing("dtype")),
    .tensor("no shape", #"{"dtype":"U8","data_offsets":[0,1]}"#, missing("shape")),
    .tensor("no offsets", #"{"dtype":"U8","shape":[1]}"#, missing("data_offsets")),
    .tensor(
        "dtype twice", #"{"dtype":"U8","dtype":"U8"}"#,
        ", byte 27: duplicate key: found \"dtype\" again"),
    .tensor(
        "shape twice", #"{"shape":[1],"shape":[1]}"#,
        ", byte 26: duplicate key: found \"shape\" again"),
    .tensor(
        "offsets twice", #"{"data_offsets":[0,1],"data_offsets":[0,1]}"#,
        ", byte 35: duplicate key: found \"data_offsets\" again"),
    .tensor(
        "misspelt key", #"{"dtyp":"U8"}"#,
        ", tensor \"a\": unknown key: found \"dtyp\" (did you mean \"dtype\"?)"),
    .tensor(
        "foreign key", #"{"comment":"U8"}"#,
        ", tensor \"a\": unknown key: found \"comment\" (one of: dtype, shape, data_offsets)"),
    .tensor(
        "dtype is a number", #"{"dtype":8}"#,
        ", byte 22: malformed header: found \"8\", expected a string"),
    .tensor(
        "dtype in small letters", #"{"dtype":"u8"}"#,
        ", tensor \"a\": unknown dtype: found \"u8\" (did you mean \"U8\"?)"),
    .tensor(
        "dtype unknown", #"{"dtype":"\ncomplex"}"#,
        ", tensor \"a\": unknown dtype: found \"\\ncomplex\" (one of: BOOL, U8, I8, I16, U16, F16, BF16, I32, U32, F32, F64, I64, U64)"
    ),
    .tensor(
        "dtype of the format but not ours", #"{"dtype":"F8_E4M3"}"#,
        ", tensor \"a\": dtype not supported: found F8_E4M3, expected one of BOOL, U8, I8, I16, U16, F16, BF16, I32, U32, F32, F64, I64, U64 (convert the tensor before saving it)"
    ),
    .tensor(
        "shape is a number", #"{"shape":1}"#,
        ", byte 22: malformed header: found \"1\", expected a list"),
    .tensor(
        "shape holds a list", #"{"shape":[[1]]}"#,
        ", byte 23: malformed header: found \"[\", expected a whole number"),
    .tensor(
        "shape holds null", #"{"shape":[null]}"#,
        ", byte 23: malformed header: found \"n\", expected a whole number"),
    .tensor(
        "comma at the end of a list", #"{"shape":[1,]}"#,
        ", byte 25: malformed header: found \"]\", expected a whole number"),
    .tensor(
        "no comma in a list", #"{"shape":[1 1]}"#,
        ", byte 25: malformed header: found \"1\", expected \",\" or \"]\""),
    .tensor("negative size", #"{"shape":[-1]}"#, notWhole("a negative number")),
    .tensor("fraction", #"{"shape":[1.0]}"#, notWhole("a fraction")),
    .tensor("exponent", #"{"shape":[1e3]}"#, notWhole("an exponent")),
    .tensor("exponent in capitals", #"{"shape":[1E3]}"#, notWhole("an exponent")),
    .tensor("leading zero", #"{"shape":[01]}"#, notWhole("a leading zero")),
    .tensor(
        "number above 2^63 - 1", #"{"shape":[9223372036854775808]}"#,
        ", byte 23: number too large: expected at most 9223372036854775807"),
    .tensor(
        "number above 2^64", #"{"shape":[99999999999999999999999]}"#,
        ", byte 23: number too large: expected at most 9223372036854775807"),
    .tensor(
        "65 dimensions",
        "{\"shape\":[" + Array(repeating: "1", count: 65).joined(separator: ",") + "]}",
        ", tensor \"a\": too many dimensions: found more than 64, expected at most 64"),
    .tensor(
        "one offset", #"{"data_offsets":[0]}"#,
        ", tensor \"a\": wrong number of data_offsets: found 1, expected 2, begin and end"),
    .tensor(
        "three offsets", #"{"data_offsets":[0,1,2]}"#,
        ", tensor \"a\": wrong number of data_offsets: found more, expected 2, begin and end"),
    .tensor(
        "offsets backwards", #"{"dtype":"U8","shape":[1],"data_offsets":[1,0]}"#,
        ", tensor \"a\": data_offsets run backwards: found [1, 0], expected begin at most end"),
    .tensor(
        "shape overflows",
        #"{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,1]}"#,
        ", tensor \"a\": shape too large: expected at most 9223372036854775807 bytes"),
    .tensor(
        "bytes overflow",
        #"{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,1]}"#,
        ", tensor \"a\": shape too large: expected at most 9223372036854775807 bytes"),
    .tensor(
        "size does not fit", #"{"dtype":"F32","shape":[2,3],"data_offsets":[0,1]}"#,
        ", tensor \"a\": data_offsets do not fit dtype and shape: found 1 bytes, expected 24 bytes for F32 [2, 3]"
    ),
]

private func missing(_ key: String) -> String {
    ", tensor \"a\": missing key: expected \"\(key)\""
}

private func notWhole(_ what: String) -> String {
    ", byte 23: malformed header: found \(what), expected a whole number"
}

let layout: [Malformed] = [
    Malformed(
        "overlap", framed(b("[0,2]"), data: [1, 2]),
        ", tensor \"b\": tensors overlap: found begin 0, expected begin 1, the end of the tensor before it"
    ),
    Malformed(
        "hole", framed(b("[2,4]"), data: [1, 2, 3, 4]),
        ", tensor \"b\": bytes that belong to no tensor: found begin 2, expected begin 1, the end of what is before it"
    ),
    Malformed(
        "hole at the beginning",
        framed(#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#, data: [1, 2]),
        ", tensor \"a\": bytes that belong to no tensor: found begin 1, expected begin 0, the end of what is before it"
    ),
    Malformed(
        "empty tensor inside another",
        framed(
            "{\(a.replacing("1", with: "2")),"
                + #""e":{"dtype":"U8","shape":[0],"data_offsets":[1,1]}}"#, data: [1, 2]),
        ", tensor \"e\": tensors overlap: found begin 1, expected begin 2, the end of the tensor before it"
    ),
    Malformed(
        "data cut off", framed(b("[1,3]"), data: [1, 2]),
        ", tensor \"b\": file ends inside its tensors: found 2 bytes of data, expected at least 3 bytes (was it copied to the end?)"
    ),
    Malformed(
        "huge tensor in a small file",
        framed(
            #"{"a":{"dtype":"U8","shape":[9223372036854775807],"data_offsets":[0,9223372036854775807]}}"#
        ),
        ", tensor \"a\": file ends inside its tensors: found 0 bytes of data, expected at least 9223372036854775807 bytes (was it copied to the end?)"
    ),
    Malformed(
        "bytes after the last tensor", framed("{\(a)}", data: [1, 2, 3]),
        ", byte 62: bytes after the last tensor: found 2 more bytes"),
    Malformed(
        "bytes after no tensor", framed("{}", data: [0]),
        ", byte 10: bytes after the last tensor: found 1 more bytes"),
]

struct MalformedTests {
    @Test(arguments: frame) func frameIsRefused(_ malformed: Malformed) {
        #expect(refusal(malformed.bytes) == malformed.sentence)
    }

    @Test(arguments: json) func jsonIsRefused(_ malformed: Malformed) {
        #expect(refusal(malformed.bytes) == malformed.sentence)
    }

    @Test(arguments: entries) func entryIsRefused(_ malformed: Malformed) {
        #expect(refusal(malformed.bytes) == malformed.sentence)
    }

    @Test(arguments: layout) func layoutIsRefused(_ malformed: Malformed) {
        #expect(refusal(malformed.bytes) == malformed.sentence)
    }

    /// Hostile names stay one short line.
    @Test func namesAreEscapedAndCut() {
        let name = "\u{1B}[2J\n" + String(repeating: "x", count: 200)
        let found = refusal(
            framed("{\"" + "\\u001b[2J\\n" + name.dropFirst(5) + "\":{\"shape\":[]}}"))
        #expect(
            found == "x.safetensors, tensor \"\\u{1B}[2J\\n" + String(repeating: "x", count: 69)
                + "…\": missing key: expected \"dtype\"")
    }

    /// Comparing and hashing strings that are not in normal form takes time that grows with the
    /// square of a run of combining marks: 400 kB of them would stop a reader for 20 seconds.
    @Test func combiningMarksDoNotStall() {
        let marks = String(repeating: "\u{301}\u{323}", count: 1_000_000)
        let began = ContinuousClock.now
        #expect(
            refusal(framed("{\"\(marks)\":1}"))
                == "x.safetensors, byte 9: name too long: found 4000000 bytes, expected at most 1024 bytes"
        )
        #expect(refusal(framed("{\"__metadata__\":{\"k\":\"\(marks)\"}}")) == nil)
        #expect(
            refusal(framed("{\"a\":{\"dtype\":\"\(marks)\"}}"))
                == "x.safetensors, byte 22: name too long: found 4000000 bytes, expected at most 1024 bytes"
        )
        #expect(ContinuousClock.now - began < .seconds(10))
    }
}
