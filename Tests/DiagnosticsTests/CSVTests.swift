import Diagnostics
import Testing

@Suite struct CSVTests {
    @Test(arguments: [
        ("plain", "plain"), ("", "\"\""), ("a,b", "\"a,b\""), ("say \"x\"", "\"say \"\"x\"\"\""),
        ("two\nlines", "\"two\nlines\""), ("carriage\r\nreturn", "\"carriage\r\nreturn\""),
        ("\rfirst", "\"\rfirst\""), (" padded", "\" padded\""), ("padded\t", "\"padded\t\""),
        ("=1+1", "=1+1"),
        // A comma or quote with a combining mark is one character, and not the character ",".
        ("a,\u{301}b", "\"a,\u{301}b\""), ("a\"\u{20dd}b", "\"a\"\"\u{20dd}b\""),
    ])
    func quotesByBytes(text: String, cell: String) {
        #expect(CSV.cell(text) == cell)
    }

    @Test func unknownIsNoText() {
        #expect(CSV.line(["1", nil, ""]) == "1,,\"\"\n")
        #expect(CSV.line([nil, nil]) == ",\n")
    }

    @Test func aFileIsItsNamesAndItsRows() {
        let rows = [["0", nil], ["1", "owl, snowy"]]
        #expect(
            String(decoding: CSV.file(["index", "class"], rows), as: UTF8.self)
                == "index,class\n0,\n1,\"owl, snowy\"\n")
        #expect(String(decoding: CSV.file(["a"], [[String?]]()), as: UTF8.self) == "a\n")
    }

    @Test func tablesStandSideBySide() {
        let names = CSV.line(["a,\u{301}b", "c\"d", "e"])
        #expect(CSV.count(of: names) == 3)
        #expect(CSV.count(of: CSV.line([nil])) == 1)
        #expect(CSV.line(of: ["index", names, "x,y"]) == "index," + names.dropLast() + ",x,y\n")
    }

    @Test func joinsCells() { #expect(CSV.line(["a", "b,c", ""]) == "a,\"b,c\",\"\"\n") }

    @Test func boundsNames() {
        #expect(NameRule.fault(in: "ordinary") == nil)
        #expect(NameRule.fault(in: String(repeating: "x", count: 1024)) == nil)
        #expect(NameRule.fault(in: String(repeating: "x", count: 1025)) == "1025 bytes")
        let marks = "a" + String(repeating: "\u{301}", count: 31)
        #expect(NameRule.fault(in: marks) == "more than 30 combining marks in a row")
        #expect(NameRule.fault(in: String(marks.unicodeScalars.dropLast())) == nil)
    }
}
