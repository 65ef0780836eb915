import Testing

@testable import Datasets

/// Damaged files, each with the one line that a user sees.
@Suite struct DamagedFilesTests {
    @Test(arguments: Damaged.idxFiles)
    func idx(_ damaged: Damaged.Case) { #expect(failure(damaged.read) == damaged.line) }

    @Test(arguments: Damaged.cifarFiles)
    func cifar(_ damaged: Damaged.Case) { #expect(failure(damaged.read) == damaged.line) }

    @Test(arguments: Damaged.tables)
    func table(_ damaged: Damaged.Case) { #expect(failure(damaged.read) == damaged.line) }
}

enum Damaged {
    struct Case: Sendable, CustomTestStringConvertible {
        let line: String
        let read: @Sendable () throws -> Dataset
        var testDescription: String { line }

        init(_ line: String, _ read: @autoclosure @escaping @Sendable () throws -> Dataset) {
            self.line = line
            self.read = read
        }
    }

    static func idx(_ images: [UInt8], _ labels: [UInt8] = IDXFixture.labels) throws -> Dataset {
        try IDXFixture.read(images, labels)
    }

    static let good = IDXFixture.images
    static let zipped = IDXFixture.imagesGzip

    static func with(_ bytes: [UInt8], _ index: Int, _ value: UInt8) -> [UInt8] {
        var bytes = bytes
        bytes[index] = value
        return bytes
    }

    static let idxFiles: [Case] = [
        Case("i, byte 0: IDX header is cut: found 0 bytes, expected at least 4", try idx([])),
        Case(
            "i, byte 3: IDX header is cut: found 3 bytes, expected at least 4",
            try idx(Array(good[..<3]))),
        Case(
            "i, byte 15: IDX header is cut: found 15 bytes, expected at least 16",
            try idx(Array(good[..<15]))),
        Case(
            "i, byte 0: not an IDX file: found 50 4b 00 04, "
                + "expected 00 00 08 and the number of dimensions",
            try idx([0x50, 0x4b, 0, 4] + good)),
        Case(
            "i, byte 0: not an IDX file: found a web page (HTML), "
                + "expected 00 00 08 and the number of dimensions",
            try idx(Array("<!DOCTYPE html>".utf8))),
        Case(
            "i, byte 2: IDX element type is not read: found 0d (floating-point numbers), "
                + "expected 08 (unsigned bytes), or 09, 0b, 0c (signed integers) "
                + "(write pixels as whole numbers from 0 to 255)",
            try idx(with(good, 2, 0x0d))),
        Case(
            "i, byte 2: IDX element type is not read: found 0a, "
                + "expected 08 (unsigned bytes), or 09, 0b, 0c (signed integers)",
            try idx(with(good, 2, 0x0a))),
        Case(
            "i, byte 20, element 4: IDX value is not a pixel: found -1, expected 0 to 255",
            try idx([0, 0, 9, 3] + good[4..<20] + [0xFF] + good[21...])),
        Case(
            "i, byte 20, element 1: IDX value is not a pixel: found 65536, expected 0 to 255",
            try idx(big(0xC03, 2, 1, 1) + [0, 0, 0, 9, 0, 1, 0, 0])),
        Case(
            "l, byte 12, element 1: IDX value is not a label: found -2, expected 0 to 255",
            try idx(good, big(0xC01, 2) + [0, 0, 0, 1, 0xFF, 0xFF, 0xFF, 0xFE])),
        Case(
            "l, byte 10, element 1: IDX value is not a label: found 32767, expected 0 to 255",
            try idx(good, big(0xB01, 2) + [0, 1, 0x7F, 0xFF])),
        Case(
            "i: IDX size does not match its header: found 19 bytes, expected 20",
            try idx(big(0xB03, 1, 1, 2) + [0, 1, 0])),
        Case(
            "i, byte 4: IDX header claims more than the file can hold: found shape "
                + "[1073741824, 1, 1], expected at most 1073741820 values",
            try idx(big(0xC03, 1 << 30, 1, 1))),
        Case(
            "i: gzip data inside gzip data (unpack the file once with gunzip)",
            try idx(IDXFixture.twiceGzip)),
        Case(
            "i, byte 3: wrong number of IDX dimensions for an array: found 200, expected 1 to 4",
            try idx(with(good, 3, 200))),
        Case(
            "i, byte 3: wrong number of IDX dimensions for images: found 1, expected 3 or 4",
            try idx(IDXFixture.labels)),
        Case(
            "l, byte 3: wrong number of IDX dimensions for labels: found 3, expected 1",
            try idx(good, good)),
        Case(
            "i, byte 8: IDX extent is zero: found shape [2, 0, 2]", try idx(with(good, 11, 0))),
        Case(
            "i: IDX size does not match its header: found 23 bytes, expected 24",
            try idx(Array(good.dropLast()))),
        Case(
            "i: IDX size does not match its header: found 24 bytes, expected 28",
            try idx(with(good, 7, 3))),
        Case(
            "i: IDX size does not match its header: found 25 bytes, expected 24",
            try idx(good + [1])),
        Case(
            "i, byte 4: IDX header claims more than the file can hold: found shape "
                + "[4294967295, 4294967295, 4294967295], expected at most 4294967280 values",
            try idx(big(0x803, .max, .max, .max) + (0..<8))),
        Case(
            "i, byte 4: IDX header claims more than the file can hold: found shape "
                + "[60000, 28, 28], expected at most 36104 values",
            try idx(IDXFixture.claimGzip)),
        Case(
            "l: images and labels do not belong together: found 3 labels, "
                + "expected 2, as many as images in i",
            try idx(good, big(0x801, 3) + [0, 1, 1])),
        Case(
            "l, sample 1: label out of range: found 7, expected 0 to 6",
            try IDXFixture.read(good, big(0x801, 2) + [6, 7], classCount: 7)),
        Case(
            "i, byte 18: gzip data ends early (was the download cut?)",
            try idx(Array(zipped[..<18]))
        ),
        Case(
            "i, byte 35: gzip data ends early (was the download cut?)", try idx(zipped.dropLast())),
        Case(
            "i, byte 36: bytes after the gzip data: found 2 bytes", try idx(zipped + [0, 1])),
        Case(
            "i, byte 32: gzip data is damaged: found incorrect data check",
            try idx(with(zipped, 28, 0))),
        Case(
            "i, byte 36: gzip data is damaged: found incorrect length check",
            try idx(with(zipped, 32, 0))),
        Case(
            "i, byte 4: gzip data is damaged: found unknown compression method",
            try idx(with(zipped, 2, 9))),
        Case(
            "i: IDX size does not match its header: found 23 bytes, expected 24",
            try idx(IDXFixture.imagesShortGzip)),
        Case(
            "i: IDX size does not match its header: found more bytes, expected 24",
            try idx(IDXFixture.imagesLongGzip)),
        Case(
            "i: IDX size does not match its header: found more bytes, expected 24",
            try idx(IDXFixture.bombGzip)),
    ]

    static func ten(_ bytes: [UInt8]) throws -> Dataset {
        try CIFAR.ten.dataset([("c", bytes)], name: "d")
    }

    static func hundred(_ bytes: [UInt8]) throws -> Dataset {
        try CIFAR.hundred.dataset([("c", bytes)], name: "d")
    }

    static let cifarFiles: [Case] = [
        Case(
            "c: not a whole number of CIFAR records: found 0 bytes, expected a multiple of 3073",
            try ten([])),
        Case(
            "c: not a whole number of CIFAR records: found 3072 bytes, expected a multiple of 3073",
            try ten(CIFARFixture.record(1).dropLast())),
        Case(
            "c: not a whole number of CIFAR records: found 3075 bytes, expected a multiple of 3073",
            try ten(CIFARFixture.record(1) + [0, 0])),
        Case(
            "c: not a whole number of CIFAR records: found 3074 bytes, expected a multiple of 3073 "
                + "(this looks like CIFAR-100)",
            try ten(CIFARFixture.record(1, 1))),
        Case(
            "c: not a whole number of CIFAR records: found 3073 bytes, expected a multiple of 3074 "
                + "(this looks like CIFAR-10)",
            try hundred(CIFARFixture.record(1))),
        Case(
            "c, sample 1, byte 3073: label out of range: found 10, expected 0 to 9",
            try ten(CIFARFixture.record(9) + CIFARFixture.record(10))),
        Case(
            "c, sample 0, byte 1: label out of range: found 100, expected 0 to 99",
            try hundred(CIFARFixture.record(0, 100))),
        Case(
            "c, sample 1, byte 3074: coarse label out of range: found 20, expected 0 to 19",
            try hundred(CIFARFixture.record(0, 5) + CIFARFixture.record(20, 5))),
    ]

    static func table(_ text: String, _ options: TableOptions = TableOptions()) throws -> Dataset {
        try TableFixture.read(text, options)
    }

    static func raw(_ bytes: [UInt8]) throws -> Dataset {
        try Table.dataset(bytes, file: "t.csv", name: "d")
    }

    static let tables: [Case] = [
        Case("t.csv: table has no samples", try table("")),
        Case("t.csv: table has no samples", try table("a,b,l\n\n")),
        Case(
            "t.csv, byte 6: text is not UTF-8: found e9 (save the file as UTF-8)",
            try raw(Array("a,l\n1,".utf8) + [0xe9, 0x0a])),
        Case(
            "t.csv, byte 0: text is not UTF-8: found UTF-16 (save the file as UTF-8)",
            try raw([0xff, 0xfe, 0x61, 0, 0x2c, 0])),
        Case(
            "t.csv, line 3: wrong number of cells: found 2, expected 3",
            try table("a,b,l\n1,2,x\n3,y\n")),
        Case(
            "t.csv, line 5: wrong number of cells: found 2, expected 3",
            try table("a,b,l\r\n1,2,x\r\n\"3\",4,\"y\r\nz\"\r\n5,y\r\n")),
        Case(
            "t.csv, line 2: wrong number of cells: found 4, expected 3",
            try table("a,b,l\n1,2,x,\n")),
        Case(
            "t.csv, line 3, column b: cell is not a number: found \"2,5\" (for a decimal comma set data.decimal: comma, or give --decimal comma)",
            try table("a,b,l\n1,2,x\n1,\"2,5\",x")),
        Case(
            "t.csv, line 4, column a: cell is empty (fill it in, or drop the row or the column)",
            try table("a,b,l\n\n1,2,x\n,2,x")),
        Case(
            "t.csv, line 2, column l: cell is empty (fill it in, or drop the row or the column)",
            try table("a,b,l\n1,2,\n")),
        Case(
            "t.csv, line 2, column a: cell is not a number: found \"nan\" "
                + "(it stands for an absent value: fill it in, or drop the row or the column)",
            try table("a,b,l\nnan,2,x\n")),
        Case(
            "t.csv, line 2, column b: cell is not a number: found \"1e39\"",
            try table("a,b,l\n1,1e39,x\n")),
        Case(
            #"t.csv, line 2, column a: cell is not a number: found "\0\u{1B}[2J""#,
            try table("a,l\n\u{0}\u{1b}[2J,x\n")),
        Case(
            "t.csv, line 1, column 0: cell is not a number: found \"a\" "
                + "(for a table with a header set header: true)",
            try table("a,l\n1,x\n", .init(header: false))),
        Case(
            "t.csv, line 1: header holds only numbers "
                + "(for a table without a header set data.header: false, or give --no-header)",
            try table("5,3,1\n2,2,0\n")),
        Case(
            "t.csv, line 1: column name occurs twice: found \"a\" (rename one of the columns)",
            try table("a,a,l\n1,2,x")),
        Case(
            "t.csv, line 3, byte 13: quote inside a cell without quotes "
                + "(put the whole cell in quotes and double the quotes inside)",
            try table("a,b,l\n1,2,x\n3\"1\",2,y")),
        Case(
            "t.csv, line 2, byte 8: quote is never closed", try table("a,b,l\n1,\"2,x\n3,4,y\n")),
        Case(
            "t.csv, line 2, byte 9: text behind a closing quote (is the delimiter right?)",
            try table("a,b,l\n\"1\"1,2,x\n")),
        Case(
            "t.csv: no column is left for the features: found 1 column "
                + "(set data.delimiter: semicolon, or give --delimiter semicolon)",
            try table("a;b;l\n1;2;x\n")),
        Case(
            "t.csv: column does not exist: found \"labl\" (did you mean \"label\"?)",
            try table("a,b,label\n1,2,x\n", .init(label: "labl"))),
        Case(
            "t.csv: column does not exist: found position 7, expected -3 to 2",
            try table("a,b,label\n1,2,x\n", .init(label: 7))),
        Case(
            "t.csv: column is asked for twice: found \"b\"",
            try table("a,b,label\n1,2,x\n", .init(group: "b", dropped: [1]))),
        Case(
            "t.csv, line 3: label is not one of the classes: found \"dgo\" (did you mean \"dog\"?)",
            try table("a,l\n1,cat\n2,dgo\n", .init(classNames: ["cat", "dog"]))),
        Case(
            "t.csv, line 10002, column l: more than 10000 different labels "
                + "(is this the label column?)",
            try table("a,l\n" + (0...10_000).map { "1,\($0)\n" }.joined())),
        Case(
            "t.csv, line 1: too many columns: expected at most 1000000",
            try table(String(repeating: ",", count: 1_000_001))),
        Case(
            "t.csv, byte 12: gzip data ends early (was the download cut?)",
            try raw(Array(IDXFixture.imagesGzip[..<12]))),
    ]
}
