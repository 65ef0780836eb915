import Diagnostics
import Testing

struct ProblemTests {
    @Test func aProblemIsOneLine() {
        #expect(Problem(.usage, "no recipe given").description == "no recipe given")
        #expect(
            Problem(.data, "not a number", at: .file("a.csv", "line 3", "column 2")).description
                == "a.csv, line 3, column 2: not a number")
        #expect(
            Problem(.data, "unknown key", at: Problem.Place(detail: ["data.pth"])).description
                == "data.pth: unknown key")
        #expect(Problem(.data, "cut off", found: "3 bytes").description == "cut off: found 3 bytes")
        #expect(
            Problem(.data, "cut off", expected: "4 bytes").description
                == "cut off: expected 4 bytes")
        #expect(
            Problem(
                .data, "wrong magic number", at: .file("x", "byte 0"), found: "0x00",
                expected: "0x0803", hint: "is it an image file?"
            ).description
                == "x, byte 0: wrong magic number: found 0x00, expected 0x0803 (is it an image file?)"
        )
    }

    @Test func kindsAreExitCodes() {
        #expect(Problem.Kind.usage.rawValue == 64)
        #expect(Problem.Kind.data.rawValue == 65)
        #expect(Problem.Kind.internal.rawValue == 70)
        #expect(Problem.Kind.io.rawValue == 74)
        #expect(Problem.Kind.interrupted.rawValue == 130)
    }

    @Test(arguments: [
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\u{1B}[31mred", "\\u{1B}[31mred"),
        ("nul\0", "nul\\0"),
        ("next\u{85}line", "next\\u{0085}line"),
        ("\u{2028}\u{2029}", "\\u{2028}\\u{2029}"),
        ("right\u{202E}left", "right\\u{202E}left"),
        ("zero\u{200B}width\u{FEFF}", "zero\\u{200B}width\\u{FEFF}"),
        ("größe 字 😀 \"quoted\"", "größe 字 😀 \"quoted\""),
        ("e\u{301}", "e\u{301}"),
    ])
    func controlCharactersAreEscaped(text: String, line: String) {
        #expect(Problem.oneLine(text) == line)
        #expect(Problem(.data, "bad", found: text).description == "bad: found " + line)
        #expect(Problem(.data, "bad", at: .file(text)).description == line + ": bad")
    }

    @Test func longTextIsCut() {
        #expect(Problem.oneLine("12345", limit: 5) == "12345")
        #expect(Problem.oneLine("123456", limit: 5) == "12345…")
        #expect(Problem.oneLine("", limit: 5) == "")
        // An escape counts with the characters it is written with.
        #expect(Problem.oneLine("123\n5", limit: 5) == "123\\n…")
        let megabyte = String(repeating: "x", count: 1 << 20)
        #expect(Problem.oneLine(megabyte).count == 121)
        #expect(Problem(.data, megabyte).description.count == 1001)
    }

    /// A long value must not push out what was expected instead.
    @Test func whatWasFoundIsCutBeforeTheRest() {
        let problem = Problem(
            .data, "unknown label", at: .file("a.csv"), found: String(repeating: "x", count: 5000),
            expected: "a number", hint: "see the format")
        #expect(
            problem.description == "a.csv: unknown label: found "
                + String(repeating: "x", count: 160) + "…, expected a number (see the format)")
    }

    /// A run of combining marks is one character, but must not be let through as one.
    @Test func combiningMarksAreCutToo() {
        let marks = String(repeating: "\u{301}", count: 100_000)
        #expect(Problem.oneLine(marks).unicodeScalars.count == 121)
    }
}
