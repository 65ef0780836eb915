import Foundation
import Randomness
import Testing

@testable import Datasets

enum TableFixture {
    static func read(
        _ text: String, _ options: TableOptions = TableOptions(), file: String = "t.csv"
    )
        throws -> Dataset
    {
        try Table.dataset(Array(text.utf8), file: file, options: options, name: "d")
    }
}

@Suite struct TableTests {
    func read(_ text: String, _ options: TableOptions = TableOptions(), file: String = "t.csv")
        throws -> Dataset
    {
        try TableFixture.read(text, options, file: file)
    }

    @Test func lastColumnIsTheLabel() throws {
        let data = try read("a,b,class\n1,-2.5,no\n3e2,.5,yes\n")
        #expect(data.features == .table([1, -2.5, 300, 0.5], columns: ["a", "b"]))
        #expect(data.classNames == ["no", "yes"])
        #expect(data.labels == [0, 1])
        #expect(data.groups == nil && data.clean == nil)
    }

    @Test func rolesOfColumns() throws {
        let data = try read(
            "id,label,x,who,true,y\n7,b,1,p,a,2\n8,a,3,q,a,4\n9,b,5,p,c,6",
            .init(label: "label", clean: .index(-2), group: "who", dropped: [0]))
        #expect(data.features == .table([1, 2, 3, 4, 5, 6], columns: ["x", "y"]))
        #expect(data.classNames == ["a", "b", "c"])
        #expect(data.labels == [1, 0, 1])
        #expect(data.clean == [0, 0, 2])
        #expect(data.groups == [0, 1, 0])
    }

    @Test func quotingOfRFC4180() throws {
        let data = try read(
            "\"a \"\"x\"\"\",\"b,\r\nc\",l\r\n\"1\", 2 ,\"p \"\"q\"\"\"\r\n3,\"4\",\"\nr,\"\r\n")
        #expect(data.features == .table([1, 2, 3, 4], columns: ["a \"x\"", "b,\r\nc"]))
        #expect(data.classNames == ["\nr,", "p \"q\""])
        #expect(data.labels == [1, 0])
    }

    @Test func lineEndsAndBlankLines() throws {
        let features = Dataset.Features.table([1, 2], columns: ["a"])
        for text in [
            "a,l\n1,x\n2,x", "a,l\r\n1,x\r\n2,x\r\n", "a,l\r1,x\r2,x\r", "\n\na,l\n\n1,x\n2,x\n\n",
            "\u{feff}a,l\n1,x\n2,x\n",
        ] {
            #expect(try read(text).features == features)
        }
    }

    @Test func wholeNumberLabelsSortByValue() throws {
        let data = try read("1,10\n2,9\n3,-1\n4,10", .init(header: false))
        #expect(data.classNames == ["-1", "9", "10"])
        #expect(data.labels == [2, 1, 0, 2])
        #expect(try read("1,10\n2,9\n3,x", .init(header: false)).classNames == ["10", "9", "x"])
    }

    @Test func classesCanBeGiven() throws {
        let data = try read("a,l\n1,x\n2,z", .init(classNames: ["z", "y", "x"]))
        #expect(data.labels == [2, 0])
        #expect(data.classCount == 3)
    }

    @Test func delimiters() throws {
        let features = Dataset.Features.table([1, 2], columns: ["a"])
        #expect(try read("a\tl\n1\tx\n2\ty", file: "t.TSV").features == features)
        #expect(try read("a\tl\n1\tx\n2\ty", file: "t.tab.gz").features == features)
        #expect(try read("a;l\n1;x\n2;y", .init(delimiter: .semicolon)).features == features)
    }

    /// The head of a KEEL file.
    @Test func linesWithAtSign() throws {
        let text = "@relation r\n@attribute a integer [0, 16]\n@data\n1, 2, p\n3, 4, q\n"
        let data = try read(text, .init(header: false, skipAtLines: true))
        #expect(data.features == .table([1, 2, 3, 4], columns: ["0", "1"]))
        #expect(data.classNames == ["p", "q"])
    }

    @Test func gzip() throws {
        // Python's gzip of "a,b,label\n1,2,x\n3,4,y\n".
        let bytes = hex(
            "1f8b08000000000002034bd449d2c9494c4acde132d431d2a9e032d631d1a9e402001d772f2416000000")
        let data = try Table.dataset(bytes, file: "t.csv.gz", name: "d")
        #expect(data.features == .table([1, 2, 3, 4], columns: ["a", "b"]))
    }

    @Test func featuresWithoutLabels() throws {
        func unlabelled(_ text: String, _ options: TableOptions = .init()) throws -> Dataset {
            try Table.unlabelled(
                Array(text.utf8), file: "t", options: options, classNames: ["p", "q"])
        }
        let labelled = try unlabelled("x,l,y\n1,p,2\n", .init(label: "l", group: "who"))
        #expect(labelled.features == .table([1, 2], columns: ["x", "y"]))
        let plain = try unlabelled("x,y\n1,2\n3,4\n")
        #expect(plain.features == .table([1, 2, 3, 4], columns: ["x", "y"]))
        #expect(plain.labels == [0, 0] && plain.classNames == ["p", "q"])
    }

    /// `Number.float` against strtof's relative in the standard library, over random spellings.
    @Test func numbersAsTheStandardLibraryReadsThem() {
        var draw = Draw(seed: 1, .tests)
        for _ in 0..<20_000 {
            let value = Double(bitPattern: draw.next() & 0xbff0_ffff_ffff_ffff) * 1e3
            let text = [
                "\(value)", "\(Int(draw.next() >> 12))", "\(Float(draw.uniform()))",
                "-\(draw.below(9))",
            ][draw.below(4)]
            let wanted = Double(text).map { Float($0) }.flatMap { $0.isFinite ? $0 : nil }
            let bytes = Array(text.utf8)
            if Number.float(bytes, bytes.indices) != wanted { Issue.record("\(text)") }
        }
        for text in ["1.", ".5", "+3", "1E5", "1e-400", "000000000000000000012"] {
            let bytes = Array(text.utf8)
            #expect(Number.float(bytes, bytes.indices) == Float(text.hasSuffix(".") ? "1" : text))
        }
        for text in [
            "", "-", ".", "e5", "1e", "1e+", "0x10", "nan", "inf", "1,5", "1 2", "1e39", "--1",
            "1.2.3",
        ] {
            let bytes = Array(text.utf8)
            #expect(Number.float(bytes, bytes.indices) == nil, "\(text)")
        }
    }

    /// Any bytes give a problem or a data set, never a trap.
    @Test func noByteTraps() {
        var draw = Draw(seed: 3, .tests)
        let bytes = Array("0123456789.,,,\n\n\"\"\r@-e abc\u{e9}".utf8) + [0, 0xff]
        for _ in 0..<20_000 {
            let text = (0..<draw.below(40)).map { _ in bytes[draw.below(bytes.count)] }
            let options = TableOptions(header: draw.below(2) == 0, skipAtLines: draw.below(2) == 0)
            let line = failure {
                try Table.dataset(text, file: "t", options: options, name: "d")
            }
            if line.contains("another error") || line.contains("\n") {
                Issue.record("\(text): \(line)")
            }
        }
    }

    @Test func optionsAreCodable() throws {
        let options = TableOptions(
            delimiter: .tab, label: "y", group: .index(2), dropped: ["id", 0])
        let text = try JSONEncoder().encode(options)
        #expect(try JSONDecoder().decode(TableOptions.self, from: text) == options)
        let some = Data(#"{"label":3,"group":"who","delimiter":"tab"}"#.utf8)
        #expect(
            try JSONDecoder().decode(TableOptions.self, from: some)
                == TableOptions(delimiter: .tab, label: 3, group: "who"))
        #expect(
            try JSONDecoder().decode(Augmentation.self, from: Data(#"{"padding":2}"#.utf8))
                == Augmentation(padding: 2))
    }
}
